"""The rules of workspaces."""

from collections.abc import Callable
from dataclasses import replace

from antiphon_server.context.model.changes import (
    MemberAdded,
    Repeatable,
    WorkspaceUpdated,
    user_scope,
    workspace_scope,
)
from antiphon_server.context.model.erasure_tasks import WORKSPACE
from antiphon_server.context.model.resources import (
    Member,
    Position,
    ResourceId,
    Role,
    Workspace,
    WorkspaceId,
    check_etag,
    own_workspace_id,
)
from antiphon_server.context.ports import Clock, Records, Store
from antiphon_server.context.service.access import owner_of_new, require
from antiphon_server.context.service.changes import Changes, add_to_outbox, answered, answered_first
from antiphon_server.context.service.pages import Page, page_of, position
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found

MAX_NAME = 128
OWN_NAME = "Personal"


class Workspaces:
    """Makes, finds and changes workspaces. Everything raises STORE_UNAVAILABLE, too."""

    def __init__(self, store: Store, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock

    async def create(
        self, principal: Principal, display_name: str, request: Repeatable[Workspace] | None
    ) -> Workspace:
        """Make a workspace that the caller owns. Raises DomainError REQUEST_ID_REUSED."""
        owner, now = owner_of_new(principal), int(self._clock() * 1e6)

        def work(records: Records) -> Workspace:
            before = answered(records, request)
            if before is not None:
                return before
            workspace = Workspace(WorkspaceId(new_id("ws")), display_name, now)
            first = answered_first(records, request, workspace, now)
            if first is workspace:
                _add(records, principal, workspace, owner)
            return first

        return await self._changes.make(work, of_user=owner)

    async def answered(self, request: Repeatable[Workspace] | None) -> Workspace | None:
        """What the same request got before; None if it is new. Raises REQUEST_ID_REUSED."""
        if request is None:
            return None
        return await self._store.read(lambda r: answered(r, request))

    async def get(self, principal: Principal, workspace_id: WorkspaceId) -> Workspace:
        """One workspace. Raises DomainError NOT_FOUND."""
        return await self._store.read(lambda r: _get(r, principal, workspace_id, Permission.READ))

    async def list(
        self, principal: Principal, limit: int, token: str, *, archived: bool
    ) -> Page[Workspace]:
        """Those that the caller is a member of, the newest first.

        Raises DomainError PAGE_TOKEN_INVALID.
        """
        listed = f"workspaces of {principal.user_id} {archived}"
        after, user_id = position(token, listed), principal.user_id
        found = await self._store.read(
            lambda r: r.workspaces.list_of(user_id, after, limit + 1, archived=archived)
        )
        return page_of(listed, found, limit, lambda it: Position(it.create_us, it.workspace_id))

    async def update(
        self,
        principal: Principal,
        workspace_id: WorkspaceId,
        display_name: str,
        seen_etag: str,
        request: Repeatable[Workspace] | None = None,
    ) -> Workspace:
        """Rename it.

        Raises DomainError NOT_FOUND, ETAG_MISMATCH, INVALID_ARGUMENT, REQUEST_ID_REUSED,
        WORKSPACE_ERASED.
        """
        if not 1 <= len(display_name) <= MAX_NAME:
            raise invalid("workspace.display_name", f"1 to {MAX_NAME} characters")

        def change(_: Records, workspace: Workspace) -> Workspace:
            check_etag(workspace_id, workspace.version, seen_etag)
            return replace(workspace, display_name=display_name)

        return await self._change(principal, workspace_id, change, request)

    async def archive(self, principal: Principal, workspace_id: WorkspaceId) -> Workspace:
        """Take it out of use, if it is not already.

        Raises DomainError NOT_FOUND, WORKSPACE_PERSONAL: its owner could begin nothing any more.
        """
        now = int(self._clock() * 1e6)

        def change(records: Records, workspace: Workspace) -> Workspace:
            if workspace.archive_us:
                return workspace
            if is_own(records, workspace_id):
                raise DomainError(Reason.WORKSPACE_PERSONAL, workspace_id=workspace_id)
            return replace(workspace, archive_us=now)

        return await self._change(principal, workspace_id, change)

    async def _change(
        self,
        principal: Principal,
        workspace_id: WorkspaceId,
        change: Callable[[Records, Workspace], Workspace],
        request: Repeatable[Workspace] | None = None,
    ) -> Workspace:
        now = int(self._clock() * 1e6)

        def work(records: Records) -> Workspace:
            records.members.lock(ResourceId(workspace_id))
            before = _get(records, principal, workspace_id, Permission.MANAGE)
            past = answered(records, request)
            if past is not None:
                return past
            after = change(records, before)
            if after != before:
                if records.erasure_tasks.get(WORKSPACE + workspace_id):
                    raise DomainError(Reason.WORKSPACE_ERASED, workspace_id=workspace_id)
                after = replace(after, version=before.version + 1)
                records.workspaces.put(after)
                add_to_outbox(
                    records, principal, workspace_scope(workspace_id), WorkspaceUpdated(after)
                )
            return answered_first(records, request, after, now)

        return await self._changes.make(work)


def is_own(records: Records, workspace_id: WorkspaceId) -> bool:
    """Whether it is somebody's default workspace, of which they are a member."""
    owner = UserId("user_" + workspace_id.removeprefix("ws_"))
    roles = records.members.assigned_roles(owner, ResourceId(workspace_id))
    return roles is not None and roles.effective is not Role.NONE


def own_workspace(records: Records, principal: Principal, owner: UserId, now: int) -> WorkspaceId:
    """The owner's default workspace, made at the first use."""
    workspace_id = own_workspace_id(owner)
    if records.workspaces.get(workspace_id) is None:
        _add(records, principal, Workspace(workspace_id, OWN_NAME, now), owner)
    return workspace_id


def _add(records: Records, principal: Principal, workspace: Workspace, owner: UserId) -> None:
    if not records.workspaces.add(workspace):
        return  # somebody else's first use came between
    member = Member(ResourceId(workspace.workspace_id), owner, Role.OWNER, workspace.create_us)
    records.members.add(member, workspace.create_us)
    for scope in (workspace_scope(workspace.workspace_id), user_scope(owner)):
        add_to_outbox(records, principal, scope, MemberAdded(member))


def _get(
    records: Records, principal: Principal, workspace_id: WorkspaceId, permission: Permission
) -> Workspace:
    require(records, principal, workspace_id, permission)
    workspace = records.workspaces.get(workspace_id)
    if workspace is None:
        raise not_found(workspace_id)
    return workspace
