"""Where whiteboards are, and what filters say of them, through the service that has both."""

from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2, filter_pb2, filter_service_pb2
from antiphon.context.v1.message_pb2 import Part
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.whiteboard.model import (
    MOST_OF_SECTION,
    Place,
    Wish,
)
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # these exist for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub
    from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceAsyncStub

TIMEOUT_S = 10.0
SCREENED_WITHIN_S = 120.0
"""Each of many filters may take 30 s."""


class ContextPlaces:
    """A :class:`~antiphon_server.memory.whiteboard.ports.Conversations` by context's services."""

    def __init__(
        self, context: "ContextServiceAsyncStub", filters: "FilterServiceAsyncStub"
    ) -> None:
        self._context, self._filters = context, filters

    async def place(self, conversation_id: ConversationId) -> Place:
        request = context_service_pb2.GetConversationRequest(conversation_id=conversation_id)
        with remote_errors("context"):
            found = await self._context.GetConversation(request, timeout=TIMEOUT_S)
        it = found.conversation
        return Place(it.workspace_id, it.HasField("archive_time"), found.filtered, found.erased)

    async def screened(self, place: Place, wish: Wish, text: str) -> str:
        request = filter_service_pb2.ScreenRequest(
            workspace_id=place.workspace_id,
            conversation_id=wish.conversation_id,
            stage=filter_pb2.FILTER_STAGE_MESSAGE,
            author=wish.writer,
            turn_id=wish.turn_id,
            parts=[Part(text=wish.name), Part(text=text)],
            most_bytes=[0, MOST_OF_SECTION],
        )
        with remote_errors("context"):
            left = await self._filters.Screen(request, timeout=SCREENED_WITHIN_S)
        is_cut = left.action == filter_pb2.FILTER_ACTION_SANITISE
        return left.parts[1].text if is_cut else text
