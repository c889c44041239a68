"""Whiteboards: the working notes of conversations, which every prompt reads."""

from typing import TYPE_CHECKING

from antiphon.memory.v1 import whiteboard_service_pb2 as messages
from antiphon.memory.v1.whiteboard_pb2 import Section, Whiteboard
from antiphon_client.caller import Caller

if TYPE_CHECKING:
    from antiphon.memory.v1.whiteboard_service_pb2_grpc import WhiteboardServiceAsyncStub


class Whiteboards:
    """Reads and writes a conversation's notes.

    Errors: AntiphonError, as each RPC's comment says.
    """

    _whiteboards: "WhiteboardServiceAsyncStub"
    _caller: Caller

    async def get_whiteboard(self, conversation_id: str) -> Whiteboard:
        """What it says now; an empty one where nothing was written."""
        request = messages.GetWhiteboardRequest(conversation_id=conversation_id)
        return (await self._caller.call(self._whiteboards.GetWhiteboard, request)).whiteboard

    async def write_section(
        self, conversation_id: str, name: str, text: str, *, etag: str = ""
    ) -> Section:
        """Have a section say ``text``; by its ``etag`` only if it still is as it was read.

        ``etag="none"`` writes it only if it isn't there yet.
        """
        request = messages.WriteSectionRequest(
            conversation_id=conversation_id, name=name, text=text, etag=etag
        )
        return await self._written(request)

    async def append_to_section(
        self, conversation_id: str, name: str, text: str, *, etag: str = ""
    ) -> Section:
        """Write ``text`` in lines of its own behind what a section says."""
        request = messages.WriteSectionRequest(
            conversation_id=conversation_id, name=name, append=text, etag=etag
        )
        return await self._written(request)

    async def delete_section(self, conversation_id: str, name: str, *, etag: str = "") -> None:
        """Take a section away; what it was stays in the history."""
        request = messages.DeleteSectionRequest(
            conversation_id=conversation_id, name=name, etag=etag
        )
        await self._caller.call(self._whiteboards.DeleteSection, request)

    async def list_section_versions(
        self, conversation_id: str, name: str = "", *, page_size: int = 0, page_token: str = ""
    ) -> messages.ListSectionVersionsResponse:
        """What sections were, the newest first; of all where none is named."""
        request = messages.ListSectionVersionsRequest(
            conversation_id=conversation_id,
            name=name,
            page_size=page_size,
            page_token=page_token,
        )
        return await self._caller.call(self._whiteboards.ListSectionVersions, request)

    async def keep_whiteboard(self, conversation_id: str, kept: bool = True) -> Whiteboard:
        """Say whether it stays as long as its conversation, or goes when nobody writes any more."""
        request = messages.KeepWhiteboardRequest(conversation_id=conversation_id, kept=kept)
        return (await self._caller.call(self._whiteboards.KeepWhiteboard, request)).whiteboard

    async def _written(self, request: messages.WriteSectionRequest) -> Section:
        return (await self._caller.call(self._whiteboards.WriteSection, request)).section
