"""The projection of messages in SQL.

Every row holds the sums over all rows up to it, so totals cost one row however long
the history is; what was rolled back is rare and is summed on its own.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    or_,
    select,
    true,
    update,
)

from antiphon.context.v1 import message_pb2
from antiphon_server.context.adapters.sql.rows import PAGE_LIMIT
from antiphon_server.context.adapters.tables import messages, projections
from antiphon_server.context.encoding import ERASED
from antiphon_server.context.model.messages import (
    Content,
    LeftOut,
    Message,
    MessageId,
    MessageRole,
    MessageSize,
    Offset,
    Totals,
)
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.runtime.storage.statements import Prepared, PreparedIn, PreparedInsert

_TABLE = messages.c
_HERE = _TABLE.conversation_id == bindparam("conversation")
_BELOW = _TABLE.log_offset < bindparam("before")
_NO_END = 1 << 62

_PROJECTED = projections.c.conversation_id == bindparam("conversation")
_CURSOR = Prepared(lambda: select(projections.c.cursor).where(_PROJECTED))
_BEGIN = PreparedInsert(projections)
_SET_CURSOR = Prepared(
    lambda: update(projections).where(_PROJECTED).values(cursor=bindparam("new_cursor"))
)
_SET_TRIMMED = update(projections).where(_PROJECTED).values(trimmed_offset=bindparam("trimmed"))
_CLEAR = delete(messages).where(_HERE)
_CLEAR_CURSOR = delete(projections).where(_PROJECTED)

_ADD = PreparedInsert(messages)
_SO_FAR = Prepared(
    lambda: (
        select(_TABLE.messages_so_far, _TABLE.tokens_so_far)
        .where(_HERE, _BELOW)
        .order_by(_TABLE.log_offset.desc())
        .limit(1)
    )
)
_UNDO = (
    update(messages)
    .where(_HERE, _TABLE.turn_id.in_(bindparam("turns", expanding=True)))
    .values(rolled_back=True)
)
_ERASE = (
    update(messages)
    .where(_HERE, _TABLE.message_id.in_(bindparam("those", expanding=True)))
    .values(rolled_back=True, erased=True, content=ERASED, size_bytes=len(ERASED), text_bytes=0)
)
# What is not in the context: rolled back ones, which are of turns, asides, which are of none, and
# erased ones.
_LEFT_OUT = select(
    func.count(),
    func.coalesce(func.sum(_TABLE.tokens), 0),
    func.coalesce(
        func.sum(case((and_(_TABLE.turn_id != "", _TABLE.erased == false()), 1), else_=0)), 0
    ),
).where(_HERE, _BELOW, _TABLE.rolled_back == true())
_IN_CONTEXT = _TABLE.rolled_back == false()
_SIZES = (
    select(_TABLE.log_offset, _TABLE.tokens, _TABLE.size_bytes)
    .where(_HERE, _BELOW)
    .order_by(_TABLE.log_offset.desc())
    .limit(PAGE_LIMIT)
)
_SIZES_IN_CONTEXT = _SIZES.where(_IN_CONTEXT)
_COLUMNS: Select[Any] = select(
    _TABLE.message_id,
    _TABLE.log_offset,
    _TABLE.role,
    _TABLE.author,
    _TABLE.turn_id,
    _TABLE.truncated,
    _TABLE.create_us,
    _TABLE.content,
    _TABLE.text_bytes,
    _TABLE.erased,
)
_FIND = _COLUMNS.add_columns(_TABLE.rolled_back).where(
    _HERE, _TABLE.message_id == bindparam("message")
)
_OF_TURNS = _COLUMNS.where(_HERE, _TABLE.turn_id.in_(bindparam("turns", expanding=True))).order_by(
    _TABLE.log_offset
)
_OF_PLACE = (_TABLE.conversation_id, _TABLE.log_offset)


def _one_of(column: ColumnElement[Any], name: str, places: range) -> ColumnElement[bool]:
    """One search of an index for each place: of a list of pairs SQLite reads the whole table."""
    return or_(
        *(
            and_(
                _TABLE.conversation_id == bindparam(f"where_{n}"),
                column == bindparam(f"{name}_{n}"),
            )
            for n in places
        )
    )


_SIZES_OF = PreparedIn(
    lambda places: select(
        *_OF_PLACE, _TABLE.message_id, _TABLE.size_bytes, _TABLE.rolled_back
    ).where(_one_of(_TABLE.message_id, "message", places))
)
_THOSE = PreparedIn(
    lambda places: _COLUMNS.add_columns(_TABLE.conversation_id).where(
        _one_of(_TABLE.log_offset, "offset", places)
    )
)
_BETWEEN = _COLUMNS.where(
    _HERE, _TABLE.log_offset.between(bindparam("first"), bindparam("last"))
).order_by(_TABLE.log_offset.desc())
_BETWEEN_IN_CONTEXT = _BETWEEN.where(_IN_CONTEXT)
_NEWEST_BEFORE = (
    select(_TABLE.conversation_id, func.max(_TABLE.log_offset))
    .join(projections, projections.c.conversation_id == _TABLE.conversation_id)
    .where(
        _TABLE.conversation_id.in_(bindparam("conversations", expanding=True)),
        _TABLE.log_offset > projections.c.trimmed_offset,
        _TABLE.create_us < bindparam("cutoff_us"),
    )
    .group_by(_TABLE.conversation_id)
)


class _Whole(NamedTuple):
    """A row of `_THOSE`, as the driver gives it."""

    message_id: MessageId
    log_offset: int
    role: int
    author: str
    turn_id: str
    truncated: bool
    create_us: int
    content: bytes
    text_bytes: int
    erased: bool
    conversation_id: str


class SqlMessages:
    """See :class:`~antiphon_server.context.ports.records.MessageRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def cursor(self, conversation_id: ConversationId) -> str:
        row = _CURSOR.row(self._connection, {"conversation": conversation_id})
        return row[0] if row else ""

    def set_cursor(self, conversation_id: ConversationId, cursor: str) -> None:
        values = {"conversation": conversation_id, "new_cursor": cursor}
        if _SET_CURSOR.run(self._connection, values) == 0:
            first = {"conversation_id": conversation_id, "cursor": cursor, "trimmed_offset": 0}
            _BEGIN.run(self._connection, [first])

    def add(self, messages: Sequence[Message]) -> None:
        so_far = self.totals(messages[0].conversation_id, None)
        rows = []
        for message in messages:
            tokens = message.content.tokens
            so_far = Totals(so_far.messages + 1, so_far.tokens + tokens)
            rows.append(_row(message, tokens, so_far))
        _ADD.run(self._connection, rows)

    def roll_back(self, conversation_id: ConversationId, turn_ids: Collection[str]) -> None:
        values = {"conversation": conversation_id, "turns": list(turn_ids)}
        self._connection.execute(_UNDO, values)

    def of_turns(self, conversation_id: ConversationId, turn_ids: Collection[str]) -> list[Message]:
        values = {"conversation": conversation_id, "turns": list(turn_ids)}
        rows = self._connection.execute(_OF_TURNS, values)
        return [_message(conversation_id, row) for row in rows]

    def erase(self, conversation_id: ConversationId, message_ids: Collection[MessageId]) -> None:
        values = {"conversation": conversation_id, "those": list(message_ids)}
        self._connection.execute(_ERASE, values)

    def clear(self, conversation_id: ConversationId) -> None:
        self._connection.execute(_CLEAR, {"conversation": conversation_id})
        self._connection.execute(_CLEAR_CURSOR, {"conversation": conversation_id})

    def find(self, conversation_id: ConversationId, message_id: MessageId) -> Message | None:
        values = {"conversation": conversation_id, "message": message_id}
        row = self._connection.execute(_FIND, values).first()
        if row is None:
            return None
        found = _message(conversation_id, row)
        # What is not in the context was rolled back, or is an aside: its content says which.
        aside = row.rolled_back and message_pb2.Message.FromString(row.content).aside
        return replace(found, content=replace(found.content, aside=aside))

    def those(
        self,
        names: Sequence[tuple[ConversationId, MessageId]],
        max_bytes: int,
        *,
        rolled_back: bool,
    ) -> list[Message]:
        asked = [{"where": where, "message": message_id} for where, message_id in names]
        sizes = {
            (where, message_id): (offset, size)
            for where, offset, message_id, size, left_out in _SIZES_OF.rows(self._connection, asked)
            if rolled_back or not left_out
        }
        there = [(where, *sizes[where, it]) for where, it in names if (where, it) in sizes]
        so_far = itertools.accumulate(size for _, _, size in there)
        fit = [
            {"where": where, "offset": offset}
            for (where, offset, _), total in zip(there, so_far, strict=True)
            if total <= max_bytes
        ]
        rows = map(_Whole._make, _THOSE.rows(self._connection, fit))
        return [_message(ConversationId(row.conversation_id), row) for row in rows]

    def sizes(
        self,
        conversation_id: ConversationId,
        before: Offset | None,
        limit: int,
        *,
        rolled_back: bool,
    ) -> list[MessageSize]:
        values = _below(conversation_id, before) | {"page_limit": limit}
        statement = _SIZES if rolled_back else _SIZES_IN_CONTEXT
        return [MessageSize(*row) for row in self._connection.execute(statement, values)]

    def between(
        self, conversation_id: ConversationId, first: Offset, last: Offset, *, rolled_back: bool
    ) -> list[Message]:
        values = {"conversation": conversation_id, "first": first, "last": last}
        statement = _BETWEEN if rolled_back else _BETWEEN_IN_CONTEXT
        rows = self._connection.execute(statement, values)
        return [_message(conversation_id, row) for row in rows]

    def totals(self, conversation_id: ConversationId, before: Offset | None) -> Totals:
        row = _SO_FAR.row(self._connection, _below(conversation_id, before))
        return Totals(row[0], row[1]) if row else Totals(0, 0)

    def left_out(self, conversation_id: ConversationId, before: Offset | None) -> LeftOut:
        row = self._connection.execute(_LEFT_OUT, _below(conversation_id, before)).one()
        return LeftOut(Totals(row[0], int(row[1])), int(row[2]))

    def newest_before(
        self, conversation_ids: Collection[ConversationId], create_us: int
    ) -> dict[ConversationId, Offset]:
        values = {"conversations": list(conversation_ids), "cutoff_us": create_us}
        rows = self._connection.execute(_NEWEST_BEFORE, values)
        return {ConversationId(row[0]): Offset(row[1]) for row in rows}

    def set_trimmed(self, offsets: dict[ConversationId, Offset]) -> None:
        rows = [{"conversation": key, "trimmed": offset} for key, offset in offsets.items()]
        self._connection.execute(_SET_TRIMMED, rows)


def _below(conversation_id: ConversationId, before: Offset | None) -> dict[str, Any]:
    end = _NO_END if before is None else before
    return {"conversation": conversation_id, "before": end}


def _row(message: Message, tokens: int, so_far: Totals) -> dict[str, Any]:
    return {
        "conversation_id": message.conversation_id,
        "log_offset": message.offset,
        "message_id": message.message_id,
        "role": int(message.role),
        "author": message.author,
        "turn_id": message.turn_id,
        "truncated": message.truncated,
        "rolled_back": message.content.aside or message.content.erased,
        "erased": message.content.erased,
        "create_us": message.create_us,
        "tokens": tokens,
        "text_bytes": message.content.text_bytes,
        "size_bytes": len(message.content.encoded),
        "messages_so_far": so_far.messages,
        "tokens_so_far": so_far.tokens,
        "content": message.content.encoded,
    }


def _message(conversation_id: ConversationId, row: Row[Any] | _Whole) -> Message:
    return Message(
        row.message_id,
        conversation_id,
        Offset(row.log_offset),
        MessageRole(row.role),
        row.author,
        row.turn_id,
        bool(row.truncated),
        row.create_us,
        Content(row.content, row.text_bytes, erased=bool(row.erased)),
    )
