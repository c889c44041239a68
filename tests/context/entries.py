"""What an outbox's entries say, read back."""

from typing import Any, get_args

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon.events.v1 import event_pb2
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.context import encoding
from antiphon_server.context.adapters.changes_codec import decoded
from antiphon_server.context.model.changes import Change, EncodedEntry, OutboxEntry, Scope
from antiphon_server.context.model.resources import ResourceId, Role
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.runtime.access.principal import SessionId, UserId

_KINDS = {kind.__name__: kind for kind in get_args(Change)}
_CODECS = {codec.message: codec for codec in encoding.CODECS.values()}


def entry_of(entry: EncodedEntry) -> OutboxEntry:
    """An entry for the log."""
    request = decoded(AppendRequest, entry)
    changes = tuple(_change(event) for event in request.events)
    return OutboxEntry(request.request_id, Scope(request.scope), request.events[0].actor, changes)


def _change(event: event_pb2.Event) -> Change:
    """The change that an event tells: it has its payload's name and fields."""
    payload = getattr(event, event.WhichOneof("payload") or "")
    values = {it.name: _decoded(getattr(payload, it.name)) for it in payload.DESCRIPTOR.fields}
    change: Change = _KINDS[payload.DESCRIPTOR.name](**values)
    return change


def _decoded(value: Any) -> Any:
    codec = _CODECS.get(type(value))
    return codec.decode(value) if codec else value


def role_change_of(entry: EncodedEntry) -> RoleChange:
    """An entry for the trail."""
    request = decoded(RecordSecurityEventsRequest, entry)
    (event,) = request.events
    detail = event.role_changed
    return RoleChange(
        entry_id=request.request_id,
        actor=event.actor,
        session_id=SessionId(event.session_id),
        address=event.address,
        resource=ResourceId(detail.resource),
        user_id=UserId(event.user_id),
        before=Role(detail.before),
        after=Role(detail.after),
    )
