"""Workspaces, conversations, members, outbox and past requests in memory."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from antiphon_server.context.adapters.sql.outbox import Form
from antiphon_server.context.model.changes import Answer, EncodedEntry, PastRequest, RequestKey
from antiphon_server.context.model.resources import (
    AssignedRoles,
    Conversation,
    ConversationId,
    Member,
    Position,
    ResourceId,
    Role,
    Workspace,
    WorkspaceId,
)
from antiphon_server.context.ports.records import E_contra
from antiphon_server.runtime.access.principal import UserId
from tests.fakes.memory.context.table import Journal, Table

T = TypeVar("T", Workspace, Conversation)


def _page(
    items: Iterable[T],
    item_id: Callable[[T], str],
    after: Position | None,
    limit: int,
    archived: bool,
) -> list[T]:
    """The newest first, after the place, archived ones if asked for."""
    ordered = sorted(items, key=lambda it: (it.create_us, item_id(it)), reverse=True)
    place = (after.create_us, after.item_id) if after else None
    return [
        it
        for it in ordered
        if (archived or not it.archive_us)
        and (place is None or (it.create_us, item_id(it)) < place)
    ][:limit]


class MemoryMembers:
    """See :class:`~antiphon_server.context.ports.MemberRecords`."""

    def __init__(self, journal: Journal) -> None:
        self._table: Table[tuple[ResourceId, UserId], Member] = Table(journal)
        self._workspaces: Table[WorkspaceId, Workspace] = Table(journal)
        self._conversations: Table[ConversationId, Conversation] = Table(journal)

    def know(
        self,
        workspaces: Table[WorkspaceId, Workspace],
        conversations: Table[ConversationId, Conversation],
    ) -> None:
        """Where to look whether a resource exists."""
        self._workspaces, self._conversations = workspaces, conversations

    def assigned_roles(self, user_id: UserId, resource: ResourceId) -> AssignedRoles | None:
        """See :meth:`MemberRecords.assigned_roles`."""
        workspace_id = WorkspaceId(resource)
        if not resource.startswith("ws_"):
            conversation = self._conversations.get(ConversationId(resource))
            if conversation is None:
                return None
            workspace_id = conversation.workspace_id
        elif self._workspaces.get(workspace_id) is None:
            return None
        around = self.role(ResourceId(workspace_id), user_id)
        return AssignedRoles(workspace_id, self.role(resource, user_id), around)

    def seen(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> tuple[Conversation, AssignedRoles] | None:
        """See :meth:`MemberRecords.seen`."""
        roles = self.assigned_roles(user_id, ResourceId(conversation_id))
        conversation = self._conversations.get(conversation_id)
        return (conversation, roles) if conversation and roles else None

    def role(self, resource: ResourceId, user_id: UserId) -> Role:
        """The user's direct role."""
        member = self._table.get((resource, user_id))
        return member.role if member else Role.NONE

    def lock(self, resource: ResourceId) -> None:
        """See :meth:`MemberRecords.lock`; there is one writer."""

    def get(self, resource: ResourceId, user_id: UserId) -> Member | None:
        """See :meth:`MemberRecords.get`."""
        return self._table.get((resource, user_id))

    def add(self, member: Member, resource_create_us: int) -> None:
        """See :meth:`MemberRecords.add`."""
        self.put(member)

    def put(self, member: Member) -> None:
        """See :meth:`MemberRecords.put`."""
        self._table.put((member.resource, member.user_id), member)

    def remove(self, resource: ResourceId, user_id: UserId) -> None:
        """See :meth:`MemberRecords.remove`."""
        self._table.remove((resource, user_id))

    def count_owners(self, resource: ResourceId) -> int:
        """See :meth:`MemberRecords.count_owners`."""
        return sum(it.role is Role.OWNER for it in self._of(resource))

    def list_of(self, resource: ResourceId, after: UserId | None, limit: int) -> list[Member]:
        """See :meth:`MemberRecords.list_of`."""
        ordered = sorted(self._of(resource), key=lambda it: it.user_id)
        return [it for it in ordered if after is None or it.user_id > after][:limit]

    def _of(self, resource: ResourceId) -> list[Member]:
        return [it for it in self._table.values() if it.resource == resource]


class MemoryWorkspaces:
    """See :class:`~antiphon_server.context.ports.WorkspaceRecords`."""

    def __init__(self, journal: Journal, members: MemoryMembers) -> None:
        self.table: Table[WorkspaceId, Workspace] = Table(journal)
        self._members = members

    def get(self, workspace_id: WorkspaceId) -> Workspace | None:
        """See :meth:`WorkspaceRecords.get`."""
        return self.table.get(workspace_id)

    def add(self, workspace: Workspace) -> bool:
        """See :meth:`WorkspaceRecords.add`."""
        if self.table.get(workspace.workspace_id) is not None:
            return False
        self.put(workspace)
        return True

    def put(self, workspace: Workspace) -> None:
        """See :meth:`WorkspaceRecords.put`."""
        self.table.put(workspace.workspace_id, workspace)

    def list_of(
        self, user_id: UserId, after: Position | None, limit: int, *, archived: bool
    ) -> list[Workspace]:
        """See :meth:`WorkspaceRecords.list_of`."""
        mine = [
            it
            for it in self.table.values()
            if self._members.role(ResourceId(it.workspace_id), user_id) is not Role.NONE
        ]
        return _page(mine, lambda it: it.workspace_id, after, limit, archived)


class MemoryConversations:
    """See :class:`~antiphon_server.context.ports.ConversationRecords`."""

    def __init__(self, journal: Journal, members: MemoryMembers) -> None:
        self.table: Table[ConversationId, Conversation] = Table(journal)
        self._members = members

    def get(self, conversation_id: ConversationId) -> Conversation | None:
        """See :meth:`ConversationRecords.get`."""
        return self.table.get(conversation_id)

    def add(self, conversation: Conversation) -> bool:
        """See :meth:`ConversationRecords.add`."""
        if self.table.get(conversation.conversation_id) is not None:
            return False
        self.put(conversation)
        return True

    def put(self, conversation: Conversation) -> None:
        """See :meth:`ConversationRecords.put`."""
        self.table.put(conversation.conversation_id, conversation)

    def list_of(
        self, user_id: UserId, after: Position | None, limit: int, *, archived: bool
    ) -> list[Conversation]:
        """See :meth:`ConversationRecords.list_of`."""
        readable = []
        for it in self.table.values():
            roles = self._members.assigned_roles(user_id, ResourceId(it.conversation_id))
            if roles and roles.effective is not Role.NONE:
                readable.append(it)
        return _page(readable, lambda it: it.conversation_id, after, limit, archived)

    def list_in(
        self,
        workspace_id: WorkspaceId,
        member: UserId | None,
        after: Position | None,
        limit: int,
        *,
        archived: bool,
    ) -> list[Conversation]:
        """See :meth:`ConversationRecords.list_in`."""
        found = [
            it
            for it in self.table.values()
            if it.workspace_id == workspace_id
            and (member is None or self._is_member(member, it.conversation_id))
        ]
        return _page(found, lambda it: it.conversation_id, after, limit, archived)

    def _is_member(self, user_id: UserId, conversation_id: ConversationId) -> bool:
        return self._members.role(ResourceId(conversation_id), user_id) is not Role.NONE

    def list_ids(self, after: ConversationId | None, limit: int) -> list[ConversationId]:
        """See :meth:`ConversationRecords.list_ids`."""
        ordered = sorted(it.conversation_id for it in self.table.values())
        return [it for it in ordered if after is None or it > after][:limit]


class MemoryOutbox(Generic[E_contra]):
    """See :class:`~antiphon_server.context.ports.OutboxRecords`; encoded as in SQL."""

    def __init__(self, journal: Journal, form: Form[E_contra]) -> None:
        self._table: Table[str, EncodedEntry] = Table(journal)
        self._aside: Table[str, EncodedEntry] = Table(journal)
        self._form = form

    def add(self, entry: E_contra) -> None:
        """See :meth:`OutboxRecords.add`."""
        body = self._form.encode(entry)
        self._put(EncodedEntry(entry.entry_id, self._form.listener(body), body))

    def first(self, limit: int) -> list[EncodedEntry]:
        """See :meth:`OutboxRecords.first`."""
        return self._table.values()[:limit]

    def remove(self, entry_ids: Sequence[str]) -> None:
        """See :meth:`OutboxRecords.remove`."""
        for entry_id in entry_ids:
            self._table.remove(entry_id)

    def set_aside(self, entry_id: str, why: str, now_us: int) -> None:
        """See :meth:`OutboxRecords.set_aside`."""
        entry = self._table.get(entry_id)
        if entry is not None:
            self._table.remove(entry_id)
            self._aside.put(entry_id, entry)

    def count_set_aside(self) -> int:
        """See :meth:`OutboxRecords.count_set_aside`."""
        return len(self._aside.values())

    def put_back(self) -> None:
        """See :meth:`OutboxRecords.put_back`."""
        for entry in self._aside.values():
            self._aside.remove(entry.entry_id)
            self._put(entry)

    def _put(self, entry: EncodedEntry) -> None:
        self._table.put(entry.entry_id, entry)


class MemoryRequests:
    """See :class:`~antiphon_server.context.ports.RequestRecords`."""

    def __init__(self, journal: Journal) -> None:
        self._table: Table[tuple[str, str], tuple[RequestKey, Answer, int]] = Table(journal)

    def find(self, actor: str, request_id: str) -> PastRequest | None:
        """See :meth:`RequestRecords.find`."""
        row = self._table.get((actor, request_id))
        return PastRequest(row[0].digest, row[1]) if row else None

    def add(self, key: RequestKey, answer: Answer, create_us: int) -> bool:
        """See :meth:`RequestRecords.add`."""
        is_new = self._table.get((key.actor, key.request_id)) is None
        if is_new:
            self._table.put((key.actor, key.request_id), (key, answer, create_us))
        return is_new

    def forget(self, before_us: int) -> int:
        """See :meth:`RequestRecords.forget`."""
        old = [key for key, _, create_us in self._table.values() if create_us < before_us]
        for key in old:
            self._table.remove((key.actor, key.request_id))
        return len(old)
