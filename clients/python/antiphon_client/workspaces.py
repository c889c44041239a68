"""Workspaces: where people, and what they use, belong together."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.context.v1 import context_service_pb2 as messages
from antiphon.context.v1.conversation_pb2 import Workspace
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub


class Workspaces:
    """Workspaces of the context service. Errors: AntiphonError, as each RPC's comment says.

    Their people are :class:`~antiphon_client.members.Members`' affair.
    """

    _context: "ContextServiceAsyncStub"
    _caller: Caller

    async def create_workspace(self, display_name: str) -> Workspace:
        """Make a workspace that the caller owns; its name has 1 to 128 characters."""
        request = messages.CreateWorkspaceRequest(display_name=display_name)
        return (await self._caller.call(self._context.CreateWorkspace, request)).workspace

    async def get_workspace(self, workspace_id: str) -> Workspace:
        """One workspace."""
        request = messages.GetWorkspaceRequest(workspace_id=workspace_id)
        return (await self._caller.call(self._context.GetWorkspace, request)).workspace

    def list_workspaces(self, *, show_archived: bool = False) -> AsyncGenerator[Workspace]:
        """The caller's workspaces, the newest first; with ``show_archived`` these, too."""

        async def fetch(page_token: str) -> messages.ListWorkspacesResponse:
            request = messages.ListWorkspacesRequest(
                page_token=page_token, show_archived=show_archived
            )
            return await self._caller.call(self._context.ListWorkspaces, request)

        return pages(fetch, lambda page: page.workspaces)

    async def rename_workspace(
        self, workspace_id: str, display_name: str, *, etag: str = ""
    ) -> Workspace:
        """Give a workspace another name; with an ``etag`` only if it is as it was then."""
        request = messages.UpdateWorkspaceRequest(
            workspace=Workspace(workspace_id=workspace_id, display_name=display_name, etag=etag),
            update_mask=FieldMask(paths=["display_name"]),
        )
        return (await self._caller.call(self._context.UpdateWorkspace, request)).workspace

    async def archive_workspace(self, workspace_id: str) -> Workspace:
        """Take a workspace out of use, for good: no conversation is begun there any more."""
        request = messages.ArchiveWorkspaceRequest(workspace_id=workspace_id)
        return (await self._caller.call(self._context.ArchiveWorkspace, request)).workspace
