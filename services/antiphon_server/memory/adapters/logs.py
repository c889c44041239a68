"""The logs of conversations, through the service that owns them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon.events.v1 import event_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon_server.memory.encoding.search import microseconds, said_of
from antiphon_server.memory.model import ConversationId, LogEnd, MessageId, Said, SaidPage
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

TIMEOUT_S = 10.0
PAGE = 1000
PLACES = 1000
"""Of logs that are asked about at once: others have their turn between two such questions."""
_SCOPE = "conversations/"
_KINDS = (event_pb2.EVENT_KIND_MESSAGE_POSTED, event_pb2.EVENT_KIND_MESSAGES_ERASED)
_WITH_ENDS = (*_KINDS, event_pb2.EVENT_KIND_TURN_FINISHED)


class EventServiceLogs:
    """A :class:`~antiphon_server.memory.ports.Logs` through the EventService.

    With ``tells_undone`` its pages say which turns were rolled back, and are shorter by their ends.
    """

    _tells_undone = False

    def __init__(self, events: "EventServiceAsyncStub", *, tells_undone: bool = False) -> None:
        self._events = events
        self._tells_undone = tells_undone

    async def end(self, conversation_id: ConversationId) -> LogEnd:
        request = pb.GetHeadRequest(scope=_SCOPE + conversation_id)
        with remote_errors("events"):
            head = await self._events.GetHead(request, timeout=TIMEOUT_S)
        return LogEnd(head.cursor, head.earliest_offset <= 1)

    async def news(self, cursors: Mapping[ConversationId, str]) -> Collection[ConversationId]:
        places, moved = list(cursors.items()), list[ConversationId]()
        for start in range(0, len(places), PLACES):
            moved += await self._moved(places[start : start + PLACES])
        return moved

    async def _moved(
        self, places: Sequence[tuple[ConversationId, str]]
    ) -> Sequence[ConversationId]:
        asked = [pb.LogPlace(scope=_SCOPE + it, cursor=cursor) for it, cursor in places]
        with remote_errors("events"):
            found = await self._events.FindNews(pb.FindNewsRequest(places=asked), timeout=TIMEOUT_S)
        return [ConversationId(it.removeprefix(_SCOPE)) for it in found.scopes]

    async def read(self, conversation_id: ConversationId, cursor: str, limit: int = 0) -> SaidPage:
        request = pb.ReadEventsRequest(
            scope=_SCOPE + conversation_id,
            cursor=cursor,
            page_size=limit or PAGE,
            kinds=_WITH_ENDS if self._tells_undone else _KINDS,
        )
        with remote_errors("events"):
            page = await self._events.ReadEvents(request, timeout=TIMEOUT_S)
        said = [_said(it) for it in page.events if it.HasField("message_posted") and not it.erased]
        erased = [it for event in page.events for it in event.messages_erased.message_ids]
        gone = [MessageId(it) for it in erased]
        undone = [it.turn_id for it in page.events if it.turn_finished.rolled_back]
        return SaidPage(said, page.cursor, page.at_head, gone, undone)


def _said(event: event_pb2.Event) -> Said:
    """The log's time counts: the message in it has none yet."""
    return replace(said_of(event.message_posted.message), time_us=microseconds(event.time))
