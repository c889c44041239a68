"""Conversations in SQL."""

import json
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    exists,
    false,
    insert,
    select,
    true,
    union,
    update,
)

from antiphon_server.context.adapters.sql.rows import (
    PAGE_LIMIT,
    add_unless_taken,
    conversation_of,
    in_use,
    older,
    place,
)
from antiphon_server.context.adapters.tables import conversations, members
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Position,
    WorkspaceId,
)
from antiphon_server.runtime.access.permissions import INHERITED
from antiphon_server.runtime.access.principal import UserId

_TABLE = conversations.c
_COLUMNS = tuple(_TABLE)
_GET = select(*_COLUMNS).where(_TABLE.conversation_id == bindparam("conversation_id"))
_ADD = insert(conversations)
_PUT = (
    update(conversations)
    .where(_TABLE.conversation_id == bindparam("key"))
    .values(
        title=bindparam("new_title"),
        turn_policy=bindparam("new_turn_policy"),
        models=bindparam("new_models"),
        instructions=bindparam("new_instructions"),
        archive_us=bindparam("new_archive_us"),
        version=bindparam("new_version"),
        max_output_tokens=bindparam("new_max_output_tokens"),
    )
)
_IDS = (
    select(_TABLE.conversation_id)
    .where(_TABLE.conversation_id > bindparam("after", type_=String))
    .order_by(_TABLE.conversation_id)
    .limit(PAGE_LIMIT)
)
_OF_USER = and_(
    members.c.user_id == bindparam("user_id"), members.c.resource == _TABLE.conversation_id
)
_MANAGED = select(members.c.resource).where(
    members.c.user_id == bindparam("user_id"),
    members.c.of_workspace == true(),
    members.c.role.in_([role.value for role in INHERITED]),
)


def _page(source: Select[Any], *conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        source.where(*conditions, in_use(_TABLE.archive_us))
        .order_by(_TABLE.create_us.desc(), _TABLE.conversation_id.desc())
        .limit(PAGE_LIMIT)
    )


_OLDER = older(_TABLE.create_us, _TABLE.conversation_id)
_IN_WORKSPACE = _TABLE.workspace_id == bindparam("workspace_id")
_LIST_IN = _page(select(*_COLUMNS), _IN_WORKSPACE, _OLDER)
_LIST_IN_OF = _page(select(*_COLUMNS), _IN_WORKSPACE, _OLDER, exists().where(_OF_USER))

# Two short index scans, rather than one that meets everybody's conversations.
_BY_ROLE = (
    select(_TABLE.conversation_id)
    .join(members, _OF_USER)
    .where(
        members.c.of_workspace == false(),
        in_use(_TABLE.archive_us),
        older(members.c.resource_create_us, members.c.resource),
    )
    .order_by(members.c.resource_create_us.desc(), members.c.resource.desc())
    .limit(PAGE_LIMIT)
    .subquery()
)
_BY_WORKSPACE = _page(
    select(_TABLE.conversation_id),
    _TABLE.workspace_id.in_(bindparam("managed", expanding=True)),
    _OLDER,
).subquery()
_READABLE = union(select(_BY_ROLE), select(_BY_WORKSPACE)).scalar_subquery()
_LIST_OF = (
    select(*_COLUMNS)
    .where(_TABLE.conversation_id.in_(_READABLE))
    .order_by(_TABLE.create_us.desc(), _TABLE.conversation_id.desc())
    .limit(PAGE_LIMIT)
)


class SqlConversations:
    """See :class:`~antiphon_server.context.ports.records.ConversationRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, conversation_id: ConversationId) -> Conversation | None:
        row = self._connection.execute(_GET, {"conversation_id": conversation_id}).first()
        return conversation_of(row) if row else None

    def add(self, conversation: Conversation) -> bool:
        values = {
            "conversation_id": conversation.conversation_id,
            "workspace_id": conversation.workspace_id,
            "title": conversation.title,
            "turn_policy": int(conversation.turn_policy),
            "models": json.dumps(conversation.models),
            "instructions": conversation.instructions,
            "create_us": conversation.create_us,
            "archive_us": conversation.archive_us,
            "version": conversation.version,
            "max_output_tokens": conversation.max_output_tokens,
        }
        return add_unless_taken(self._connection, _ADD, values)

    def put(self, conversation: Conversation) -> None:
        values = {
            "key": conversation.conversation_id,
            "new_title": conversation.title,
            "new_turn_policy": int(conversation.turn_policy),
            "new_models": json.dumps(conversation.models),
            "new_instructions": conversation.instructions,
            "new_archive_us": conversation.archive_us,
            "new_version": conversation.version,
            "new_max_output_tokens": conversation.max_output_tokens,
        }
        self._connection.execute(_PUT, values)

    def list_of(
        self, user_id: UserId, after: Position | None, limit: int, *, archived: bool
    ) -> list[Conversation]:
        managed = self._connection.execute(_MANAGED, {"user_id": user_id}).scalars().all()
        values = {"user_id": user_id, "managed": managed}
        return self._list(_LIST_OF, values | place(after, limit, archived=archived))

    def list_in(
        self,
        workspace_id: WorkspaceId,
        member: UserId | None,
        after: Position | None,
        limit: int,
        *,
        archived: bool,
    ) -> list[Conversation]:
        values = {"workspace_id": workspace_id} | place(after, limit, archived=archived)
        if member is None:
            return self._list(_LIST_IN, values)
        return self._list(_LIST_IN_OF, values | {"user_id": member})

    def list_ids(self, after: ConversationId | None, limit: int) -> list[ConversationId]:
        values = {"after": after or "", "page_limit": limit}
        return list(self._connection.execute(_IDS, values).scalars())

    def _list(self, statement: Select[Any], values: dict[str, Any]) -> list[Conversation]:
        return [conversation_of(row) for row in self._connection.execute(statement, values)]
