"""The log, through the service that owns it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon.context.v1 import message_pb2
from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon_server.context import encoding
from antiphon_server.context.adapters.changes_codec import decoded
from antiphon_server.context.model.changes import EncodedEntry, Scope, conversation_scope
from antiphon_server.context.model.messages import (
    LogPage,
    Message,
    MessageId,
    NewMessage,
    Offset,
    Placed,
    TurnRolledBack,
    WordsErased,
)
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

TIMEOUT_S = 30.0
PAGE = 1000
_KINDS = (
    event_pb2.EVENT_KIND_MESSAGE_POSTED,
    event_pb2.EVENT_KIND_TURN_FINISHED,
    event_pb2.EVENT_KIND_MESSAGES_ERASED,
)


class EventServiceLog:
    """An :class:`~antiphon_server.context.ports.EventLog` through the EventService."""

    def __init__(self, events: "EventServiceAsyncStub") -> None:
        self._events = events

    async def append(self, entry: EncodedEntry, to: Scope | None = None) -> None:
        request = decoded(event_service_pb2.AppendRequest, entry)
        request.scope = to or request.scope
        with remote_errors("events"):
            await self._events.Append(request, timeout=TIMEOUT_S)

    async def post(self, message: NewMessage, request_id: str) -> Placed:
        request = event_service_pb2.AppendRequest(
            scope=conversation_scope(message.conversation_id),
            events=[_posted(message)],
            request_id=request_id,
        )
        with remote_errors("events"):
            response = await self._events.Append(request, timeout=TIMEOUT_S)
        return Placed(Offset(response.first_offset), encoding.microseconds(response.time))

    async def read(self, conversation_id: ConversationId, cursor: str) -> LogPage:
        request = event_service_pb2.ReadEventsRequest(
            scope=conversation_scope(conversation_id),
            cursor=cursor,
            page_size=PAGE,
            kinds=_KINDS,
        )
        with remote_errors("events"):
            response = await self._events.ReadEvents(request, timeout=TIMEOUT_S)
        return log_page(conversation_id, response)

    async def trim(self, conversation_id: ConversationId, before: Offset) -> None:
        request = event_service_pb2.TrimRequest(
            scope=conversation_scope(conversation_id), before_offset=before
        )
        with remote_errors("events"):
            await self._events.Trim(request, timeout=TIMEOUT_S)


def _posted(message: NewMessage) -> event_pb2.Event:
    posted = message_pb2.Message.FromString(message.content.encoded)
    posted.message_id = message.message_id
    posted.conversation_id = message.conversation_id
    posted.role = message_pb2.MESSAGE_ROLE_USER
    posted.author = message.author
    return event_pb2.Event(
        actor=message.author, message_posted=event_pb2.MessagePosted(message=posted)
    )


def log_page(
    conversation_id: ConversationId, response: event_service_pb2.ReadEventsResponse
) -> LogPage:
    """Decode a page of the log."""
    items = tuple(_items(conversation_id, response))
    return LogPage(items, response.cursor, response.at_head)


def _items(
    conversation_id: ConversationId, response: event_service_pb2.ReadEventsResponse
) -> Iterator[Message | TurnRolledBack | WordsErased]:
    for event in response.events:
        if event.HasField("message_posted"):
            message = event.message_posted.message
            said = encoding.message_of(
                message, conversation_id, event.last_offset, encoding.microseconds(event.time)
            )
            yield replace(said, turn_id=said.turn_id or event.turn_id)
        elif event.HasField("turn_finished") and event.turn_finished.rolled_back:
            yield TurnRolledBack(event.turn_id)
        elif event.HasField("messages_erased"):
            yield WordsErased(tuple(map(MessageId, event.messages_erased.message_ids)))
