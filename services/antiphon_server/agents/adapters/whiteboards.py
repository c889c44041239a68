"""Whiteboards, through the service that keeps them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.memory.v1 import whiteboard_service_pb2
from antiphon_server.agents.notes import Note
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.telemetry.structured import structlog

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.memory.v1.whiteboard_service_pb2_grpc import WhiteboardServiceAsyncStub

TIMEOUT_S = 2.0
"""A prompt goes on without notes sooner than that it waits."""
log = structlog.get_logger(__name__)


class ServedWhiteboards:
    """What conversations' whiteboards say now."""

    def __init__(self, whiteboards: "WhiteboardServiceAsyncStub") -> None:
        self._whiteboards = whiteboards

    async def notes(self, conversation_id: str) -> Sequence[Note]:
        """Its sections; none where it can't be read: an answer goes on without."""
        request = whiteboard_service_pb2.GetWhiteboardRequest(conversation_id=conversation_id)
        try:
            with remote_errors("memory"):
                found = await self._whiteboards.GetWhiteboard(request, timeout=TIMEOUT_S)
        except DomainError as error:
            where = {"conversation_id": conversation_id, "why": error.reason.value}
            log.warning("a prompt has no whiteboard: it can't be read", **where)
            return ()
        return [Note(it.name, it.text) for it in found.whiteboard.sections]
