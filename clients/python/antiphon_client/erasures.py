"""Erasing conversations, workspaces and what people said; and somebody's copy of what is theirs."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING

from google.protobuf.message import Message as Protobuf

from antiphon.auth.v1.profile_pb2 import Profile
from antiphon.context.v1 import erasure_service_pb2 as messages
from antiphon.context.v1.erasure_service_pb2 import ErasureProgress
from antiphon_client.caller import Caller
from antiphon_client.conversations import Conversations
from antiphon_client.memories import Memories
from antiphon_client.profiles import Profiles
from antiphon_client.workspaces import Workspaces

if TYPE_CHECKING:
    from antiphon.context.v1.erasure_service_pb2_grpc import ErasureServiceAsyncStub

POLL_S = 0.5


class Erasures(Profiles, Workspaces, Conversations, Memories):
    """The erasure service. Errors: AntiphonError, as each RPC's comment says."""

    _erasures: "ErasureServiceAsyncStub"
    _caller: Caller

    async def erase_conversation(self, conversation_id: str) -> ErasureProgress:
        """Begin to take away all that was said in a conversation, or ask how far that is."""
        request = messages.EraseConversationRequest(conversation_id=conversation_id)
        return (await self._caller.call(self._erasures.EraseConversation, request)).progress

    async def erase_workspace(self, workspace_id: str) -> ErasureProgress:
        """Begin to take away all that was said in a workspace, or ask how far that is."""
        request = messages.EraseWorkspaceRequest(workspace_id=workspace_id)
        return (await self._caller.call(self._erasures.EraseWorkspace, request)).progress

    async def erase_person(self, user_id: str) -> ErasureProgress:
        """Begin to take away all that somebody has said, or ask how far that is.

        For themselves, and for operators.
        """
        request = messages.ErasePersonRequest(user_id=user_id)
        return (await self._caller.call(self._erasures.ErasePerson, request)).progress

    async def erasure_done(
        self,
        ask: Callable[[str], Awaitable[ErasureProgress]],
        which: str,
        on_progress: Callable[[ErasureProgress], None] = lambda _: None,
    ) -> ErasureProgress:
        """Begin one, and return when it is done.

        ``ask`` is :meth:`erase_conversation`, :meth:`erase_workspace` or :meth:`erase_person`,
        ``which`` what it takes.
        """
        progress = await ask(which)
        while not progress.HasField("done_time"):
            on_progress(progress)
            await asyncio.sleep(POLL_S)
            progress = await ask(which)
        return progress

    async def export_person(self, user_id: str) -> AsyncGenerator[Protobuf]:
        """All that is somebody's: the caller's own, whose id this is.

        Their profile, everywhere and in their workspaces, as far as it is set; the conversations
        that they can read, each with the messages that they have written there; and what is
        remembered of them, with versions.
        """
        author = f"users/{user_id}"
        async for profile in self._set_profiles():
            yield profile
        async for conversation in self.list_conversations(show_archived=True):
            yield conversation
            async for message in self.list_messages(conversation.conversation_id):
                if message.author == author and not message.erased:
                    yield message
        async for remembered in self.export_memories():
            yield remembered

    async def _set_profiles(self) -> AsyncGenerator[Profile]:
        """The caller's, what holds everywhere first."""
        places = [it.workspace_id async for it in self.list_workspaces(show_archived=True)]
        for place in ["", *places]:
            profile = (await self.get_profile(place)).profile
            if profile.HasField("update_time"):
                yield profile
