"""The contract's messages <-> the log's own types."""

from antiphon.events.v1 import event_pb2, event_service_pb2, stream_pb2
from antiphon_server.events import wire
from antiphon_server.events.actions import Action, Cancel, Create, Report
from antiphon_server.events.frames import (
    Batch,
    Created,
    Draining,
    Ended,
    Ephemeral,
    Frame,
    Progress,
)
from antiphon_server.events.model import AccessChange, NewEvent, Scope
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.encoding.unknown_fields import unknown_member
from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.runtime.errors.wire import status_of
from antiphon_server.runtime.rpc.times import duration

_CACHED_BATCHES = 64
PAYLOADS = range(10, 1000)
"""The numbers of an event's payloads, those to come too; what else it says has others."""


_KINDS = {name: field.number for name, field in event_pb2.Event.DESCRIPTOR.fields_by_name.items()}


def new_event(scope: str, event: event_pb2.Event) -> NewEvent:
    """Decode an event to append.

    A payload that this version does not know is kept as it is, under its field's number. Raises
    DomainError INVALID_ARGUMENT if it has none or claims a place.
    """
    payload = event.WhichOneof("payload")
    kind = _KINDS[payload] if payload else unknown_member(event, PAYLOADS)
    if not kind:
        raise invalid("events", "an event needs a payload")
    if event.ephemeral or event.HasField("time") or event.first_offset or event.last_offset:
        raise invalid("events", "place and time are set by the log")
    # A map has no order: the same event, appended again, has to be the same bytes.
    body = wire.scoped(event.SerializeToString(deterministic=True), scope)
    return NewEvent(kind, event.turn_id, body, _access_change(event, payload))


def _access_change(event: event_pb2.Event, payload: str | None) -> AccessChange | None:
    if payload == "member_removed":
        return AccessChange(user_id=UserId(event.member_removed.user_id))
    if payload == "member_updated":
        return AccessChange(user_id=UserId(event.member_updated.member.user_id))
    if payload == "session_revoked":
        return AccessChange(session_id=SessionId(event.session_revoked.session_id))
    return None


def watch_request(watch: stream_pb2.Watch) -> WatchRequest:
    """Decode what a client asks to follow."""
    return WatchRequest(
        watch.watch_id,
        Scope(watch.scope),
        watch.cursor,
        from_latest=watch.start != stream_pb2.START_POSITION_EARLIEST,
        kinds=frozenset(watch.kinds),
        max_batch_events=watch.max_batch_events,
        ephemeral=watch.ephemeral,
    )


def action_of(request: event_service_pb2.SubscribeRequest) -> Action:
    """Decode what a client asks of its stream, but for a new token.

    Raises DomainError UNIMPLEMENTED for what this version does not know.
    """
    match request.WhichOneof("action"):
        case "create":
            return Create(watch_request(request.create))
        case "cancel":
            return Cancel(request.cancel.watch_id)
        case "progress":
            return Report()
        case "refresh" | None:
            raise DomainError(Reason.UNIMPLEMENTED)


class FrameEncoder:
    """Serialises frames; a batch that many streams get is serialised once."""

    def __init__(self) -> None:
        self._batches: dict[tuple[object, ...], bytes] = {}

    def encode(self, frame: Frame) -> bytes:
        """Serialise as a SubscribeResponse, which is a FollowResponse as well."""
        if isinstance(frame, Batch):
            return self._batch(frame)
        return _other(frame).SerializeToString()

    def _batch(self, frame: Batch) -> bytes:
        records, cursor = frame.records, frame.cursor.encode(frame.scope)
        first, last = records[0].first, records[-1].last
        if last - first + 1 != len(records):  # filtered or folded: not told by its ends
            return wire.batch(frame.watch_id, records, cursor)
        key = (frame.watch_id, cursor, first, last)  # another watch's filter may have ended it
        encoded = self._batches.get(key)
        if encoded is None:
            if len(self._batches) >= _CACHED_BATCHES:
                self._batches.clear()
            encoded = self._batches[key] = wire.batch(frame.watch_id, records, cursor)
        return encoded


def _other(frame: Frame) -> event_service_pb2.SubscribeResponse:
    response = event_service_pb2.SubscribeResponse
    match frame:
        case Ephemeral():
            event = event_pb2.Event.FromString(frame.body)
            batch = stream_pb2.EventBatch(
                watch_id=frame.watch_id, events=[event], cursor=frame.cursor.encode(frame.scope)
            )
            return response(batch=batch)
        case Created(watch_id, scope, cursor, head):
            created = stream_pb2.WatchCreated(
                watch_id=watch_id, cursor=cursor.encode(scope), head_cursor=head.encode(scope)
            )
            return response(created=created)
        case Ended():
            return response(ended=_ended(frame))
        case Progress(positions):
            progress = stream_pb2.Progress(
                watches=[
                    stream_pb2.WatchProgress(watch_id=watch_id, cursor=cursor.encode(scope))
                    for watch_id, scope, cursor in positions
                ]
            )
            return response(progress=progress)
        case Draining(seconds):
            return response(draining=stream_pb2.Draining(reconnect_after=duration(seconds)))
        case Batch():
            raise AssertionError("batches are put together from bytes")


def _ended(frame: Ended) -> stream_pb2.WatchEnded:
    ended = stream_pb2.WatchEnded(
        watch_id=frame.watch_id, reason=stream_pb2.CloseReason.ValueType(frame.reason)
    )
    if frame.error is not None:
        ended.error.CopyFrom(status_of(frame.error))
    if frame.cursor is not None and frame.scope is not None:
        ended.cursor = frame.cursor.encode(frame.scope)
    return ended
