"""Conversations in SQL."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    bindparam,
    func,
    select,
    text,
    update,
)

from antiphon_server.context.adapters.sql.listing import MANAGED, listing, readable
from antiphon_server.context.adapters.sql.rows import (
    PAGE_LIMIT,
    conversation_of,
    place,
)
from antiphon_server.context.adapters.tables import (
    UNNOTED,
    UNNOTED_OF_MEMBER,
    conversations,
    members,
    messages,
)
from antiphon_server.context.model.listed import Listed
from antiphon_server.context.model.resources import Conversation, ConversationId, Position
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert
from antiphon_server.runtime.storage.unheld import unheld

_TABLE = conversations.c
_COLUMNS = tuple(_TABLE)
_GET = Prepared(
    lambda: select(*_COLUMNS).where(_TABLE.conversation_id == bindparam("conversation_id"))
)
# A key may be taken by a writer that was not seen yet.
_ADD = PreparedInsert(conversations, " ON CONFLICT DO NOTHING RETURNING conversation_id")
_PUT = (
    update(conversations)
    .where(_TABLE.conversation_id == bindparam("key"))
    .values(
        title=bindparam("new_title"),
        turn_policy=bindparam("new_turn_policy"),
        models=bindparam("new_models"),
        tools=bindparam("new_tools"),
        instructions=bindparam("new_instructions"),
        archive_us=bindparam("new_archive_us"),
        version=bindparam("new_version"),
        max_output_tokens=bindparam("new_max_output_tokens"),
        labels=bindparam("new_labels"),
        language=bindparam("new_language"),
        title_author=bindparam("new_title_author"),
    )
)
_THOSE = select(*_COLUMNS).where(_TABLE.conversation_id.in_(bindparam("ids", expanding=True)))
_IDS = (
    select(_TABLE.conversation_id)
    .where(_TABLE.conversation_id > bindparam("after", type_=String))
    .order_by(_TABLE.conversation_id)
    .limit(PAGE_LIMIT)
)
_NOTE = Prepared(
    lambda: (
        update(conversations)
        .where(
            _TABLE.conversation_id == bindparam("conversation"),
            _TABLE.activity_us < bindparam("time_us"),
        )
        .values(activity_us=bindparam("time_us"))
    )
)
_NOTE_FOR_MEMBERS = Prepared(
    lambda: (
        update(members)
        .where(
            members.c.resource == bindparam("conversation"),
            members.c.resource_activity_us < bindparam("time_us"),
        )
        .values(resource_activity_us=bindparam("time_us"))
    )
)
_NEWEST_MESSAGE = (
    select(messages.c.create_us)
    .where(messages.c.conversation_id == _TABLE.conversation_id)
    .order_by(messages.c.log_offset.desc())
    .limit(1)
)
_KNOWN = select(func.nullif(_TABLE.activity_us, 0)).where(
    _TABLE.conversation_id == members.c.resource
)


def _some(unnoted: str, *key: Column[str]) -> ColumnElement[bool]:
    """Some that are unnoted, the newest ids first; not those that another server notes now."""
    return unheld(select(*key).where(text(unnoted)).order_by(key[0].desc()).limit(PAGE_LIMIT))


_NOTE_MISSING = (
    update(conversations)
    .where(_some(UNNOTED, _TABLE.conversation_id))
    .values(activity_us=func.coalesce(_NEWEST_MESSAGE.scalar_subquery(), _TABLE.create_us))
)
_NOTE_MISSING_FOR_MEMBERS = (
    update(members)
    .where(_some(UNNOTED_OF_MEMBER, members.c.resource, members.c.user_id))
    .values(
        resource_activity_us=func.coalesce(_KNOWN.scalar_subquery(), members.c.resource_create_us)
    )
)


class SqlConversations:
    """See :class:`~antiphon_server.context.ports.records.ConversationRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, conversation_id: ConversationId) -> Conversation | None:
        row = _GET.row(self._connection, {"conversation_id": conversation_id})
        return conversation_of(row) if row else None

    def add(self, conversation: Conversation) -> bool:
        values = {
            "conversation_id": conversation.conversation_id,
            "workspace_id": conversation.workspace_id,
            "title": conversation.title,
            "turn_policy": int(conversation.turn_policy),
            "models": json.dumps(conversation.models),
            "tools": json.dumps(conversation.tools),
            "instructions": conversation.instructions,
            "create_us": conversation.create_us,
            "archive_us": conversation.archive_us,
            "version": conversation.version,
            "max_output_tokens": conversation.max_output_tokens,
            "activity_us": conversation.activity_us,
            "labels": json.dumps(dict(conversation.labels)),
            "language": conversation.language,
            "title_author": conversation.title_author,
        }
        return bool(_ADD.returned(self._connection, [values]))

    def put(self, conversation: Conversation) -> None:
        values = {
            "key": conversation.conversation_id,
            "new_title": conversation.title,
            "new_turn_policy": int(conversation.turn_policy),
            "new_models": json.dumps(conversation.models),
            "new_tools": json.dumps(conversation.tools),
            "new_instructions": conversation.instructions,
            "new_archive_us": conversation.archive_us,
            "new_version": conversation.version,
            "new_max_output_tokens": conversation.max_output_tokens,
            "new_labels": json.dumps(dict(conversation.labels)),
            "new_language": conversation.language,
            "new_title_author": conversation.title_author,
        }
        self._connection.execute(_PUT, values)

    def page(self, listed: Listed, after: Position | None, limit: int) -> list[Conversation]:
        rows = self._rows(listing(listed, titles=False), listed, after, limit)
        return [conversation_of(row) for row in rows]

    def titles(
        self, listed: Listed, after: Position | None, limit: int
    ) -> list[tuple[Position, str]]:
        rows = self._rows(listing(listed, titles=True), listed, after, limit)
        return [(Position(row[0], row[1]), row[2]) for row in rows]

    def _rows(
        self, statement: Select[Any], listed: Listed, after: Position | None, limit: int
    ) -> Sequence[Sequence[Any]]:
        values = place(after, limit) | self._of(listed)
        return self._connection.execute(statement, values).all()

    def _of(self, listed: Listed) -> dict[str, Any]:
        """What the statement of a list is given, but for the page."""
        values: dict[str, Any] = {}
        if listed.workspace_id:
            values["workspace_id"] = listed.workspace_id
        if listed.reader is not None:
            values["user_id"] = listed.reader
            if not listed.workspace_id:
                managed = self._connection.execute(MANAGED, {"user_id": listed.reader})
                values["managed"] = managed.scalars().all()
        return values

    def readable(self, listed: Listed, among: Collection[ConversationId]) -> list[ConversationId]:
        values = self._of(listed) | {"among": list(among)}
        return list(self._connection.execute(readable(listed), values).scalars())

    def those(self, conversation_ids: Sequence[str]) -> list[Conversation]:
        rows = self._connection.execute(_THOSE, {"ids": conversation_ids})
        found = {row[0]: conversation_of(row) for row in rows}
        return [found[it] for it in map(ConversationId, conversation_ids) if it in found]

    def note(self, activities: Mapping[ConversationId, int]) -> None:
        """See :meth:`ConversationRecords.note`; in one order, so that servers can't block."""
        rows = [{"conversation": it, "time_us": activities[it]} for it in sorted(activities)]
        _NOTE.run_all(self._connection, rows)
        _NOTE_FOR_MEMBERS.run_all(self._connection, rows)

    def note_missing(self, limit: int) -> bool:
        for statement in (_NOTE_MISSING, _NOTE_MISSING_FOR_MEMBERS):
            if self._connection.execute(statement, {"page_limit": limit}).rowcount:
                return True
        return False

    def list_ids(self, after: ConversationId | None, limit: int) -> list[ConversationId]:
        values = {"after": after or "", "page_limit": limit}
        return list(self._connection.execute(_IDS, values).scalars())
