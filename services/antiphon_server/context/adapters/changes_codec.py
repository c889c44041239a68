"""What the log is told, as the request that tells it: kept in the outbox in this form.

A change and its payload in the contract have the same name and the same fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar, get_args

from google.protobuf.message import DecodeError, Message

from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon_server.context import encoding
from antiphon_server.context.model.changes import Change, EncodedEntry, OutboxEntry
from antiphon_server.runtime.errors import invalid

RequestT = TypeVar("RequestT", bound=Message)
_FIELDS = {
    field.message_type.name: field.name
    for field in event_pb2.Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    if field.message_type is not None
}
_CONVERSATIONS = {
    "conversation_created",
    "conversation_updated",
    "conversation_archived",
    "conversation_unarchived",
}
_LISTED = _CONVERSATIONS | {"workspace_updated"}
_REPLACEABLE = {"conversation_updated", "workspace_updated"}
_LISTED_IN = ("conversations/", "workspaces/")
_PAYLOADS: Mapping[type, str] = {kind: _FIELDS[kind.__name__] for kind in get_args(Change)}


def append_request(entry: OutboxEntry) -> event_service_pb2.AppendRequest:
    """Encode an entry."""
    return event_service_pb2.AppendRequest(
        scope=entry.scope,
        request_id=entry.entry_id,
        events=[_event(entry.actor, change) for change in entry.changes],
    )


def decoded(kind: type[RequestT], entry: EncodedEntry) -> RequestT:
    """What is told of an entry, with all that a newer server has put there.

    Raises DomainError INVALID_ARGUMENT if it is damaged.
    """
    try:
        return kind.FromString(entry.body)
    except DecodeError:
        raise invalid("body", f"entry {entry.entry_id} can't be decoded") from None


def for_lists(entry: EncodedEntry) -> EncodedEntry | None:
    """What of an entry those are told who have its resource in their lists; None for nothing.

    What an entry says that is damaged is nothing: who appends it says so.
    """
    try:
        told = event_service_pb2.AppendRequest.FromString(entry.body)
    except DecodeError:
        return None
    if not told.scope.startswith(_LISTED_IN):
        return None
    events = [event for event in told.events if event.WhichOneof("payload") in _LISTED]
    del told.events[:]
    for event in events:
        its: Any = getattr(event, event.WhichOneof("payload") or "")
        if event.WhichOneof("payload") in _CONVERSATIONS:
            its.conversation.ClearField("instructions")
        told.events.append(event)
    return replace(entry, body=told.SerializeToString()) if events else None


def superseding(entries: Sequence[EncodedEntry]) -> Sequence[EncodedEntry]:
    """A listener's entries in order, of which those are ``superseded`` that lists can do without.

    An update says all that lists show, so the newest of several that wait is enough.
    """
    if len(entries) < 2:
        return entries
    found: list[EncodedEntry] = []
    later: set[str] = set()
    for entry in reversed(entries):
        kinds = _listed_kinds(entry)
        found.append(replace(entry, superseded=bool(kinds) and kinds <= later & _REPLACEABLE))
        later |= kinds
    return found[::-1]


def _listed_kinds(entry: EncodedEntry) -> set[str]:
    listed = for_lists(entry)
    if listed is None:
        return set()
    told = event_service_pb2.AppendRequest.FromString(listed.body)
    return {event.WhichOneof("payload") or "" for event in told.events}


def _event(actor: str, change: Change) -> event_pb2.Event:
    payload = {it.name: _encoded(getattr(change, it.name)) for it in fields(change)}
    named: Any = {_PAYLOADS[type(change)]: payload}
    return event_pb2.Event(actor=actor, **named)


def _encoded(value: Any) -> Any:
    codec = encoding.CODECS.get(type(value))
    return codec.encode(value) if codec else value
