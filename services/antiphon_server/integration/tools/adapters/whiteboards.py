"""Whiteboards of conversations, through the service that keeps them."""

import uuid
from typing import TYPE_CHECKING

from antiphon.memory.v1 import whiteboard_service_pb2 as pb
from antiphon_server.integration.tools.model import ToolCallId
from antiphon_server.integration.tools.ports import Noted
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.memory.v1.whiteboard_service_pb2_grpc import WhiteboardServiceAsyncStub

TIMEOUT_S = 120.0
"""Filters look at what is written, each of many for up to 30 s."""
_REQUESTS = uuid.UUID("3f0f6c0e-8a0b-4a55-9a3c-6c5c3a3f4b55")


class ServedWhiteboards:
    """See :class:`~antiphon_server.integration.tools.ports.Whiteboards`."""

    def __init__(self, whiteboards: "WhiteboardServiceAsyncStub") -> None:
        self._whiteboards = whiteboards

    async def write(
        self, conversation_id: str, turn_id: str, call_id: ToolCallId, note: Noted
    ) -> str:
        if not note.text:
            gone = pb.DeleteSectionRequest(
                conversation_id=conversation_id, name=note.section, turn_id=turn_id
            )
            with remote_errors("memory"):
                await self._whiteboards.DeleteSection(gone, timeout=TIMEOUT_S)
            return f"{note.section} is gone."
        request = pb.WriteSectionRequest(
            conversation_id=conversation_id,
            name=note.section,
            turn_id=turn_id,
            request_id=str(uuid.uuid5(_REQUESTS, f"{turn_id} {call_id}")),
        )
        if note.appends:
            request.append = note.text
        else:
            request.text = note.text
        with remote_errors("memory"):
            written = await self._whiteboards.WriteSection(request, timeout=TIMEOUT_S)
        return f"{written.section.name} is written: {written.section.size_bytes} bytes."
