"""Erasures that take a while are begun: each is a row, with which a server goes on."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from antiphon_server.context.model.changes import (
    ConversationArchived,
    WorkspaceUpdated,
    conversation_scope,
    workspace_scope,
)
from antiphon_server.context.model.erasure_tasks import (
    CONVERSATION,
    PERSON,
    WORKSPACE,
    ErasureBegun,
    ErasureTask,
)
from antiphon_server.context.model.resources import ConversationId, ResourceId, WorkspaceId
from antiphon_server.context.ports import Clock, Records, Store, Users
from antiphon_server.context.service.access import denied, require
from antiphon_server.context.service.changes import Changes, add_to_outbox
from antiphon_server.context.service.workspaces import is_own
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.net.addresses import current_address

SERVICE = Principal("service", UserId("context"), SessionId(""))


class ErasureTasks:
    """Begins erasures, and says how far they are. Its calls raise DomainError as the contract says.

    ``begun`` is set when there is one to go on with.
    """

    def __init__(self, store: Store, changes: Changes, users: Users, clock: Clock) -> None:
        self._store, self._changes, self._users, self._clock = store, changes, users, clock
        self.begun = asyncio.Event()

    async def conversation(
        self, principal: Principal, conversation_id: ConversationId
    ) -> ErasureTask:
        """Begin it, or say how far it is. Raises NOT_FOUND, PERMISSION_DENIED."""
        resource = CONVERSATION + conversation_id

        def work(records: Records) -> ErasureTask:
            records.members.lock(ResourceId(conversation_id))
            require(records, principal, conversation_id, Permission.MANAGE)
            if (task := records.erasure_tasks.get(resource)) is not None:
                return task
            self._take_settings(records, principal, conversation_id)
            return self._begin(records, principal, resource)

        return await self._made(work, conversation_id)

    async def workspace(self, principal: Principal, workspace_id: WorkspaceId) -> ErasureTask:
        """Begin it, or say how far it is.

        Raises NOT_FOUND, PERMISSION_DENIED, WORKSPACE_PERSONAL.
        """
        resource = WORKSPACE + workspace_id

        def work(records: Records) -> ErasureTask:
            records.members.lock(ResourceId(workspace_id))
            require(records, principal, workspace_id, Permission.MANAGE)
            if (task := records.erasure_tasks.get(resource)) is not None:
                return task
            self._take_name(records, principal, workspace_id)
            return self._begin(records, principal, resource)

        return await self._made(work)

    async def person(self, principal: Principal, user_id: UserId) -> ErasureTask:
        """Begin it, or say how far it is. Raises NOT_FOUND, PERMISSION_DENIED."""
        if not principal.operates and principal.user_id != user_id:
            raise denied(Permission.OPERATE)
        await self._users.require(user_id)
        resource = PERSON + user_id

        def work(records: Records) -> ErasureTask:
            task = records.erasure_tasks.get(resource)
            if task is not None and not (task.done_us and self._is_old(task)):
                return task
            return self._begin(records, principal, resource)

        return await self._made(work)

    async def erased(self, conversation_id: ConversationId) -> bool:
        """Whether the conversation is, or is being."""
        resource = CONVERSATION + conversation_id
        task = await self._store.read(lambda r: r.erasure_tasks.get(resource), snapshot=False)
        return task is not None

    async def of_workspace(self, conversation_id: ConversationId) -> ErasureTask:
        """The erasure of a conversation whose workspace is erased, begun now."""

        def work(records: Records) -> ErasureTask:
            records.members.lock(ResourceId(conversation_id))
            resource = CONVERSATION + conversation_id
            if (task := records.erasure_tasks.get(resource)) is not None:
                return task
            self._take_settings(records, SERVICE, conversation_id)
            return self._begin(records, SERVICE, resource)

        return await self._made(work, conversation_id)

    async def in_workspace(self, conversation_id: ConversationId) -> bool:
        """Whether the workspace of a conversation is being erased as well."""

        def work(records: Records) -> bool:
            it = records.conversations.get(conversation_id)
            whole = records.erasure_tasks.get(WORKSPACE + it.workspace_id) if it else None
            return whole is not None and not whole.done_us

        return await self._store.read(work)

    async def _made(
        self, work: Callable[[Records], ErasureTask], where: ConversationId | None = None
    ) -> ErasureTask:
        task = await self._changes.make(work, of_conversation=where, audited=True)
        if not task.done_us:
            self.begun.set()
        return task

    def _is_old(self, task: ErasureTask) -> bool:
        return self._now_us() - task.done_us > 60_000_000

    def _begin(self, records: Records, principal: Principal, resource: str) -> ErasureTask:
        task = ErasureTask(resource, self._now_us())
        if not records.erasure_tasks.add(task):  # another server was faster: users have no lock
            return records.erasure_tasks.get(resource) or task
        who = principal.actor, principal.session_id, current_address()
        records.audit_outbox.add(ErasureBegun(new_id("out"), *who, resource))
        return task

    def _take_settings(
        self, records: Records, principal: Principal, conversation_id: ConversationId
    ) -> None:
        before = records.conversations.get(conversation_id)
        if before is None:
            raise not_found(conversation_id)
        after = replace(
            before,
            title="",
            instructions="",
            labels=(),
            archive_us=before.archive_us or self._now_us(),
            version=before.version + 1,
        )
        records.conversations.put(after)
        told = ConversationArchived(after)
        add_to_outbox(records, principal, conversation_scope(conversation_id), told)

    def _take_name(self, records: Records, principal: Principal, workspace_id: WorkspaceId) -> None:
        before = records.workspaces.get(workspace_id)
        if before is None:
            raise not_found(workspace_id)
        if is_own(records, workspace_id):
            raise DomainError(Reason.WORKSPACE_PERSONAL, workspace_id=workspace_id)
        after = replace(
            before,
            display_name="",
            archive_us=before.archive_us or self._now_us(),
            version=before.version + 1,
        )
        records.workspaces.put(after)
        add_to_outbox(records, principal, workspace_scope(workspace_id), WorkspaceUpdated(after))

    def _now_us(self) -> int:
        return int(self._clock() * 1e6)
