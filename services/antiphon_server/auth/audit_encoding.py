"""Between the contract's security events and the domain's, by the names that they share."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, get_args

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.auth.v1 import audit_pb2, audit_service_pb2
from antiphon.errors.v1.error_reason_pb2 import ErrorReason
from antiphon_server.auth.model import security_events
from antiphon_server.auth.model.chain import Head, Seal, SealedEvent, Selection, StampedEvent
from antiphon_server.auth.model.security_events import Detail, SecurityEvent
from antiphon_server.auth.service.audit_trail import sees_all
from antiphon_server.auth.service.audit_watches import Batch
from antiphon_server.auth.service.hash_chain import chained
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.encoding.unknown_fields import unknown_member
from antiphon_server.runtime.errors import Reason, invalid
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token, number
from antiphon_server.runtime.rpc.times import micros_of

_EVENT = audit_pb2.SecurityEvent.DESCRIPTOR
_DETAILS = {kind.__name__: kind for kind in get_args(Detail)}
_FIELDS = {
    field.message_type.name: field
    for field in _EVENT.oneofs_by_name["detail"].fields
    if field.message_type is not None
}
_KINDS = range(20, 1000)
"""The numbers of details, those to come too."""
_REASON = "ERROR_REASON_"


def sealed(stamped: Iterable[StampedEvent], after: Head, seal: Seal) -> list[SealedEvent]:
    """The events in their places behind ``after``."""
    found, sequence, previous = [], after.sequence, after.hash
    for one in stamped:
        sequence += 1
        event = one.event
        body = _body(sequence, one)
        tied = chained(previous, body)
        found.append(
            SealedEvent(
                sequence=sequence,
                kind=kind_of(event.detail),
                user_id=event.user_id,
                actor=event.actor or "",
                create_time=one.create_time,
                body=body,
                previous_hash=previous,
                hash=tied,
                seal=seal(tied),
            )
        )
        previous = tied
    return found


def kind_of(detail: Detail) -> int:
    """The number of what happened, in the contract's SecurityEventKind."""
    return int(_FIELDS[type(detail).__name__].number)


def _body(sequence: int, stamped: StampedEvent) -> bytes:
    """What is stored of an event, and hashed: the contract's message without its hashes."""
    message = reported(stamped.event)
    message.sequence, message.event_id = sequence, stamped.event_id
    message.create_time.FromMicroseconds(stamped.create_time)
    return message.SerializeToString(deterministic=True)


def reported(event: SecurityEvent) -> audit_pb2.SecurityEvent:
    """An event that has no place yet, as one who saw it reports it."""
    message = audit_pb2.SecurityEvent(
        actor=event.actor or "",
        session_id=event.session_id or "",
        address=event.address or "",
        user_id=event.user_id,
    )
    detail = getattr(message, _FIELDS[type(event.detail).__name__].name)
    detail.SetInParent()
    for name in (field.name for field in fields(event.detail)):
        _put(detail, name, getattr(event.detail, name))
    return message


def _put(message: Any, name: str, value: Any) -> None:
    if isinstance(value, Reason):
        value = ErrorReason.Value(f"{_REASON}{value.value}")
    if isinstance(value, tuple):
        getattr(message, name).extend(value)
    elif value is not None and name.endswith("_time"):
        getattr(message, name).FromMicroseconds(value)
    elif value is not None:
        setattr(message, name, value)


def recorded(message: audit_pb2.SecurityEvent) -> SecurityEvent:
    """The event that another service saw. Raises DomainError INVALID_ARGUMENT."""
    which = message.WhichOneof("detail")
    if which is None:
        raise invalid("events", "an event says what happened")
    return SecurityEvent(
        _detail(getattr(message, which)),
        user_id=message.user_id,
        actor=message.actor or None,
        session_id=message.session_id or None,
        address=message.address or None,
    )


def _detail(message: Any) -> Detail:
    kind: Any = _DETAILS[message.DESCRIPTOR.name]
    by_name = message.DESCRIPTOR.fields_by_name
    taken: Detail = kind(
        **{field.name: _take(message, by_name[field.name]) for field in fields(kind)}
    )
    return taken


def _take(message: Any, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if isinstance(value, Timestamp):
        return micros_of(message, field.name)
    if field.is_repeated:
        return tuple(value)
    if field.enum_type is None:
        return value
    if field.enum_type.name == "ErrorReason":
        return Reason(ErrorReason.Name(value).removeprefix(_REASON))
    numbers = getattr(security_events, field.enum_type.name, None)
    try:
        return numbers(value) if numbers else value
    except ValueError:
        raise invalid(f"events.{field.name}", "is not a value of its enum") from None


def opened(event: SealedEvent) -> audit_pb2.SecurityEvent:
    """What is stored, for those who read it: with its hashes."""
    message = audit_pb2.SecurityEvent.FromString(event.body)
    message.previous_hash, message.hash = event.previous_hash, event.hash
    return message


def shown(event: SealedEvent, caller: Principal) -> audit_pb2.SecurityEvent:
    """The same, for this caller: where somebody else was, only operators are told."""
    message = opened(event)
    somebody = message.actor.startswith(("users/", "turns/"))
    somebody_else = somebody and message.actor != caller.actor
    if somebody_else and not sees_all(caller):
        message.ClearField("session_id")
        message.ClearField("address")
    return message


def faithful(event: SealedEvent) -> bool:
    """Whether what an event is found by is what its body says."""
    try:
        message = audit_pb2.SecurityEvent.FromString(event.body)
        create_time = message.create_time.ToMicroseconds()
    except (DecodeError, ValueError):
        return False
    which = message.WhichOneof("detail")
    # A newer server's event says more than is understood here, and is whole all the same.
    kind = _EVENT.fields_by_name[which].number if which else unknown_member(message, _KINDS)
    return (
        (message.sequence, message.user_id, message.actor)
        == (event.sequence, event.user_id, event.actor)
        and create_time == event.create_time
        and kind == event.kind
        and kind != 0
    )


def selection(wanted: audit_service_pb2.SecurityEventFilter) -> Selection:
    """Which events are asked for. Raises DomainError INVALID_ARGUMENT."""
    return Selection(
        user_id=wanted.user_id,
        kinds=frozenset(wanted.kinds),
        begin_time=micros_of(wanted, "begin_time"),
        end_time=micros_of(wanted, "end_time"),
    )


def place(page_token: str, listed: str) -> int | None:
    """Before which event a page begins. Raises DomainError PAGE_TOKEN_INVALID."""
    fields_ = decode_page_token(page_token, listed, 1)
    return number(fields_[0]) if fields_ else None


def next_events(page: Sequence[SealedEvent], limit: int, listed: str) -> str:
    """The token of the page after this one."""
    return encode_page_token(listed, str(page[-1].sequence)) if len(page) == limit else ""


def listed(which: Selection, caller: Principal) -> str:
    """What a list of events is called: who does not see all of them has a list of their own."""
    seen_by = "" if sees_all(caller) else caller.user_id
    kinds, begin, end = sorted(which.kinds), which.begin_time, which.end_time
    return f"security events {which.user_id} {kinds} {begin} {end} {seen_by}"


def batch(found: Batch, caller: Principal) -> audit_service_pb2.WatchSecurityEventsResponse:
    """An answer of a watch."""
    return audit_service_pb2.WatchSecurityEventsResponse(
        events=[shown(event, caller) for event in found.events], progress_sequence=found.progress
    )


def exported(
    page: Iterable[SealedEvent], head: Head
) -> audit_service_pb2.ExportSecurityEventsResponse:
    """An answer of an export: events exactly as they are stored."""
    return audit_service_pb2.ExportSecurityEventsResponse(
        events=[
            audit_service_pb2.ExportedSecurityEvent(
                body=event.body, previous_hash=event.previous_hash, hash=event.hash
            )
            for event in page
        ],
        last_sequence=head.sequence,
    )


ROTATIONS = Selection(kinds=frozenset({audit_pb2.SECURITY_EVENT_KIND_SIGNING_KEYS_ROTATED}))
"""Which events are of SigningKeysRotated."""


def rotated_key(event: SealedEvent) -> tuple[str, str]:
    """The key that a SigningKeysRotated brought: its id and its public part."""
    rotated = audit_pb2.SecurityEvent.FromString(event.body).signing_keys_rotated
    return rotated.kid, rotated.public_key
