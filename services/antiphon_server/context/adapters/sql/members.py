"""Direct roles in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.sql.functions import coalesce

from antiphon_server.context.adapters.sql.rows import conversation_of
from antiphon_server.context.adapters.tables import conversations, members, workspaces
from antiphon_server.context.model.resources import (
    AssignedRoles,
    Conversation,
    ConversationId,
    Member,
    ResourceId,
    Role,
    WorkspaceId,
)
from antiphon_server.runtime.access.permissions import INHERITED
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert

_HERE = members.alias("here")
_AROUND = members.alias("around")


def _in_conversation(*more: ColumnElement[Any]) -> Select[Any]:
    return (
        select(
            conversations.c.workspace_id,
            coalesce(_HERE.c.role, 0),
            coalesce(_AROUND.c.role, 0),
            *more,
        )
        .outerjoin(
            _HERE,
            (_HERE.c.resource == conversations.c.conversation_id)
            & (_HERE.c.user_id == bindparam("user_id")),
        )
        .outerjoin(
            _AROUND,
            (_AROUND.c.resource == conversations.c.workspace_id)
            & (_AROUND.c.user_id == bindparam("user_id")),
        )
        .where(conversations.c.conversation_id == bindparam("resource"))
    )


def _in_workspace() -> Select[Any]:
    return (
        select(workspaces.c.workspace_id, coalesce(_HERE.c.role, 0), coalesce(_HERE.c.role, 0))
        .outerjoin(
            _HERE,
            (_HERE.c.resource == workspaces.c.workspace_id)
            & (_HERE.c.user_id == bindparam("user_id")),
        )
        .where(workspaces.c.workspace_id == bindparam("resource"))
    )


# Asked in every call about a conversation, where servers share a store.
_IN_CONVERSATION = Prepared(_in_conversation)
_IN_WORKSPACE = Prepared(_in_workspace)
_SEEN = Prepared(lambda: _in_conversation(*conversations.c))
_KEY = (members.c.resource == bindparam("key_resource")) & (
    members.c.user_id == bindparam("key_user")
)
_COLUMNS = (members.c.resource, members.c.user_id, members.c.role, members.c.create_us)
_GET = select(*_COLUMNS).where(_KEY)
_ADD = PreparedInsert(members)
_PUT = update(members).where(_KEY).values(role=bindparam("new_role"))
_REMOVE = delete(members).where(_KEY)
_OWNERS = select(func.count()).where(
    members.c.resource == bindparam("key_resource"), members.c.role == Role.OWNER.value
)
_LIST = (
    select(*_COLUMNS)
    .where(members.c.resource == bindparam("key_resource"), members.c.user_id > bindparam("after"))
    .order_by(members.c.user_id)
    .limit(bindparam("page_limit"))
)
_GUESTS = select(members.c.user_id).where(
    members.c.resource == bindparam("key_resource"), members.c.role == Role.GUEST.value
)
# One who has the workspace's word as well is more than a guest there.
_GUEST_IN = Prepared(
    lambda: (
        select(_HERE.c.resource)
        .join(conversations, conversations.c.conversation_id == _HERE.c.resource)
        .outerjoin(
            _AROUND,
            (_AROUND.c.resource == conversations.c.workspace_id)
            & (_AROUND.c.user_id == _HERE.c.user_id)
            & or_(*(_AROUND.c.role == literal_column(str(role.value)) for role in INHERITED)),
        )
        .where(
            _HERE.c.user_id == bindparam("user_id"),
            _HERE.c.role == literal_column(str(Role.GUEST.value)),
            _AROUND.c.user_id.is_(None),
        )
    )
)
_THERE = select(members.c.user_id).where(
    members.c.resource == bindparam("resource"), members.c.user_id > bindparam("after")
)
_AROUND_THERE = (
    select(members.c.user_id)
    .join(conversations, conversations.c.workspace_id == members.c.resource)
    .where(
        conversations.c.conversation_id == bindparam("resource"),
        members.c.user_id > bindparam("after"),
        or_(*(members.c.role == literal_column(str(role.value)) for role in INHERITED)),
    )
)
_READERS = Prepared(
    lambda: (
        union(_THERE, _AROUND_THERE)
        .order_by("user_id")
        .limit(bindparam("page_limit", type_=Integer))
    )
)
# SQLite has one writer and leaves FOR UPDATE out.
_LOCK_WORKSPACE = Prepared(
    lambda: (
        select(workspaces.c.version)
        .where(workspaces.c.workspace_id == bindparam("resource"))
        .with_for_update()
    )
)
_LOCK_CONVERSATION = Prepared(
    lambda: (
        select(conversations.c.version)
        .where(conversations.c.conversation_id == bindparam("resource"))
        .with_for_update()
    )
)


class SqlMembers:
    """See :class:`~antiphon_server.context.ports.records.MemberRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def assigned_roles(self, user_id: UserId, resource: ResourceId) -> AssignedRoles | None:
        statement = _IN_WORKSPACE if resource.startswith("ws_") else _IN_CONVERSATION
        row = statement.row(self._connection, {"user_id": user_id, "resource": resource})
        return _standing_of(row) if row else None

    def seen(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> tuple[Conversation, AssignedRoles] | None:
        row = _SEEN.row(self._connection, {"user_id": user_id, "resource": conversation_id})
        return (conversation_of(row[3:]), _standing_of(row)) if row else None

    def lock(self, resource: ResourceId) -> None:
        statement = _LOCK_WORKSPACE if resource.startswith("ws_") else _LOCK_CONVERSATION
        statement.row(self._connection, {"resource": resource})

    def get(self, resource: ResourceId, user_id: UserId) -> Member | None:
        row = self._connection.execute(_GET, _key(resource, user_id)).first()
        return Member(row[0], row[1], Role(row[2]), row[3]) if row else None

    def add(self, member: Member, resource_create_us: int, resource_activity_us: int = 0) -> None:
        values = {
            "resource": member.resource,
            "user_id": member.user_id,
            "role": member.role.value,
            "create_us": member.create_us,
            "of_workspace": member.resource.startswith("ws_"),
            "resource_create_us": resource_create_us,
            "resource_activity_us": resource_activity_us or resource_create_us,
        }
        _ADD.run(self._connection, [values])

    def put(self, member: Member) -> None:
        values = _key(member.resource, member.user_id) | {"new_role": member.role.value}
        self._connection.execute(_PUT, values)

    def remove(self, resource: ResourceId, user_id: UserId) -> None:
        self._connection.execute(_REMOVE, _key(resource, user_id))

    def count_owners(self, resource: ResourceId) -> int:
        return self._connection.execute(_OWNERS, {"key_resource": resource}).scalar_one()

    def readers(self, resource: ResourceId, after: UserId, limit: int) -> Sequence[UserId]:
        values = {"resource": resource, "after": after, "page_limit": limit}
        return [user_id for (user_id,) in _READERS.rows(self._connection, values)]

    def guest_in(self, user_id: UserId) -> Sequence[ConversationId]:
        return [it for (it,) in _GUEST_IN.rows(self._connection, {"user_id": user_id})]

    def has_guests(self, resource: ResourceId) -> bool:
        guests = self._connection.execute(_GUESTS.limit(1), {"key_resource": resource})
        return guests.first() is not None

    def list_of(self, resource: ResourceId, after: UserId | None, limit: int) -> list[Member]:
        values = {"key_resource": resource, "after": after or "", "page_limit": limit}
        rows = self._connection.execute(_LIST, values)
        return [Member(row[0], row[1], Role(row[2]), row[3]) for row in rows]


def _standing_of(row: Sequence[Any]) -> AssignedRoles:
    return AssignedRoles(WorkspaceId(row[0]), Role(row[1]), Role(row[2]))


def _key(resource: ResourceId, user_id: UserId) -> dict[str, object]:
    return {"key_resource": resource, "key_user": user_id}
