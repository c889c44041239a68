"""Who reads conversations, through the service that knows their members."""

from typing import TYPE_CHECKING

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN, ROLE_OWNER
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.conversation_pb2 import Member
from antiphon_server.memory.model import Audience, ConversationId, WorkspaceId
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 2.0
"""A prompt goes on without memories sooner than that it waits."""
PAGE = 200
PAGES = 5
"""Of a place with more people nobody can say that they all may know something."""
_AROUND = (ROLE_ADMIN, ROLE_OWNER)


class ContextAudiences:
    """A :class:`~antiphon_server.memory.ports.Audiences` through the ContextService."""

    def __init__(self, context: "ContextServiceAsyncStub") -> None:
        self._context = context

    async def workspace_of(self, conversation_id: ConversationId) -> WorkspaceId:
        request = pb.GetConversationRequest(conversation_id=conversation_id)
        with remote_errors("context"):
            found = await self._context.GetConversation(request, timeout=TIMEOUT_S)
        return WorkspaceId(found.conversation.workspace_id)

    async def of(self, conversation_id: ConversationId, workspace_id: WorkspaceId) -> Audience:
        here, all_here = await self._members(conversation_id)
        around, all_around = await self._members(workspace_id)
        managers = [it for it in around if it.role in _AROUND]
        readers = frozenset(UserId(it.user_id) for it in (*here, *managers))
        strangers = {it.user_id for it in here} - {it.user_id for it in around}
        return Audience(readers, all_here and all_around, all_here and not strangers)

    async def _members(self, resource: str) -> tuple[list[Member], bool]:
        """Those with a role on it itself, and whether these are all."""
        request = pb.ListMembersRequest(resource=resource, page_size=PAGE)
        found = list[Member]()
        for _ in range(PAGES):
            with remote_errors("context"):
                page = await self._context.ListMembers(request, timeout=TIMEOUT_S)
            found += page.members
            if not page.next_page_token:
                return found, True
            request.page_token = page.next_page_token
        return found, False
