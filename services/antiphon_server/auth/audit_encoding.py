"""Between the contract's security events and the domain's, by the names that they share."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, get_args

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.auth.v1 import audit_pb2
from antiphon.errors.v1.error_reason_pb2 import ErrorReason
from antiphon_server.auth.model import security_events
from antiphon_server.auth.model.security_events import Detail, SecurityEvent, StampedEvent
from antiphon_server.auth.service.hash_chain import chained
from antiphon_server.runtime.errors import Reason, invalid

_EVENT = audit_pb2.SecurityEvent.DESCRIPTOR
_DETAILS = {kind.__name__: kind for kind in get_args(Detail)}
_FIELDS = {
    field.message_type.name: field
    for field in _EVENT.oneofs_by_name["detail"].fields
    if field.message_type is not None
}
_REASON = "ERROR_REASON_"


def sealed(
    stamped: Iterable[StampedEvent], after: security_events.Head
) -> list[security_events.SealedEvent]:
    """The events in their places behind ``after``."""
    found, sequence, previous = [], after.sequence, after.hash
    for one in stamped:
        sequence += 1
        event = one.event
        body = _body(sequence, one)
        found.append(
            security_events.SealedEvent(
                sequence=sequence,
                kind=kind_of(event.detail),
                user_id=event.user_id,
                actor=event.actor or "",
                create_time=one.create_time,
                body=body,
                previous_hash=previous,
                hash=chained(previous, body),
            )
        )
        previous = found[-1].hash
    return found


def kind_of(detail: Detail) -> int:
    """The number of what happened, in the contract's SecurityEventKind."""
    return int(_FIELDS[type(detail).__name__].number)


def _body(sequence: int, stamped: StampedEvent) -> bytes:
    """What is stored of an event, and hashed: the contract's message without its hashes."""
    event = stamped.event
    message = audit_pb2.SecurityEvent(
        sequence=sequence,
        event_id=stamped.event_id,
        actor=event.actor or "",
        session_id=event.session_id or "",
        address=event.address or "",
        user_id=event.user_id,
    )
    message.create_time.FromMicroseconds(stamped.create_time)
    field = _FIELDS[type(event.detail).__name__]
    detail = getattr(message, field.name)
    detail.SetInParent()
    for name in (field.name for field in fields(event.detail)):
        _put(detail, name, getattr(event.detail, name))
    return message.SerializeToString(deterministic=True)


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
        return value.ToMicroseconds() if message.HasField(field.name) else None
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


def opened(event: security_events.SealedEvent) -> audit_pb2.SecurityEvent:
    """What is stored, for those who read it: with its hashes."""
    message = audit_pb2.SecurityEvent.FromString(event.body)
    message.previous_hash, message.hash = event.previous_hash, event.hash
    return message
