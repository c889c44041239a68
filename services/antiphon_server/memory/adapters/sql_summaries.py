"""Summaries in a SQL database.

How far a log was read, which messages that were and which summaries are due changes in one
transaction, and a summary is kept only of what it was made of: so neither a crash nor another
server that does the same makes anything twice, or loses anything.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from antiphon.memory.v1 import summary_pb2 as pb
from antiphon_server.memory.adapters import summary_statements as sql
from antiphon_server.memory.adapters.source_rows import erased_in, hold
from antiphon_server.memory.encoding.summaries import summary_message, summary_of
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.summaries.blocks import above, closed
from antiphon_server.memory.summaries.model import (
    FAN_OUT,
    Due,
    Node,
    Place,
    Posted,
    State,
    Summary,
)
from antiphon_server.runtime.storage.database import Database

_AT_ONCE = 500
_MOST_LEVEL = 1_000
TABLES = ("memory_summaries", "memory_summary_messages", "memory_summary_places")


class SqlSummaries:
    """A :class:`~antiphon_server.memory.summaries.ports.SummaryStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def places(
        self, conversation_ids: Collection[ConversationId]
    ) -> Mapping[ConversationId, Place]:
        asked = [{"conversation_id": it} for it in conversation_ids]

        def work(connection: Connection) -> Mapping[ConversationId, Place]:
            rows = list[Any]()
            for start in range(0, len(asked), _AT_ONCE):
                rows += sql.PLACES.rows(connection, asked[start : start + _AT_ONCE])
            return _by_conversation(rows)

        return await self._database.read(work)

    async def known(self, after: ConversationId, limit: int) -> Mapping[ConversationId, Place]:
        values = {"b_after": after, "b_limit": limit}
        return await self._database.read(
            lambda it: _by_conversation(it.execute(sql.KNOWN, values).all())
        )

    async def keep(
        self,
        conversation_id: ConversationId,
        before: Place | None,
        after: Place,
        posted: Sequence[tuple[Posted, int]],
        undone: Collection[str],
        erased: Collection[MessageId],
    ) -> bool:
        def work(connection: Connection) -> bool:
            if not _moved(connection, conversation_id, before, after):
                return False
            _add_messages(connection, conversation_id, before or Place(), posted)
            complete = closed(before.block if before else 0, after.block)
            sql.ADD_DUE.run(connection, [_due_row(conversation_id, it) for it in complete])
            _anew(connection, conversation_id, after.block, erased, undone)
            return True

        return await self._database.write(work)

    async def drop(self, conversation_id: ConversationId, cursor: str) -> bool:
        values = {"b_where": conversation_id, "b_cursor": cursor}

        def work(connection: Connection) -> bool:
            if not connection.execute(sql.DROP_PLACE, values).rowcount:
                return False
            for statement in sql.DROP:
                connection.execute(statement, {"b_where": conversation_id})
            return True

        return await self._database.write(work)

    async def forget(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> None:
        def work(connection: Connection) -> None:
            connection.execute(sql.HOLD, {"b_where": conversation_id})
            row = connection.execute(sql.BLOCK, {"b_where": conversation_id}).first()
            if row is not None:
                _anew(connection, conversation_id, row.block, message_ids, ())

        await self._database.write(work)

    async def scrub(self) -> None:
        await self._database.scrub(TABLES)

    async def waiting(self, limit: int) -> Sequence[ConversationId]:
        values = {"b_limit": limit}
        rows = await self._database.read(lambda it: it.execute(sql.WAITING, values).all())
        return [ConversationId(row[0]) for row in rows]

    async def due(self, conversation_id: ConversationId, limit: int) -> Sequence[Due]:
        values = {"b_where": conversation_id, "b_limit": limit}
        rows = await self._database.read(lambda it: it.execute(sql.DUE, values).all())
        return [
            Due(conversation_id, Node(row.level, row.number), row.revision, row.tries)
            for row in rows
        ]

    async def pending(self, conversation_id: ConversationId) -> int:
        values = {"b_where": conversation_id}
        return int(
            await self._database.read(lambda it: it.execute(sql.PENDING, values).scalar_one())
        )

    async def message_ids(self, conversation_id: ConversationId, block: int) -> list[MessageId]:
        values = {"b_where": conversation_id, "b_block": block}
        rows = await self._database.read(lambda it: it.execute(sql.MESSAGES, values).all())
        return [MessageId(row[0]) for row in rows]

    async def put(self, due: Due, summary: Summary) -> bool:
        body = summary_message(due.conversation_id, summary).SerializeToString()
        values = {**_as_was(due), "b_state": int(summary.state), "b_body": body}
        return await self._database.write(lambda it: it.execute(sql.PUT, values).rowcount == 1)

    async def claim(
        self, conversation_ids: Collection[ConversationId], now_us: int, until_us: int
    ) -> Due | None:
        values = {"b_those": list(conversation_ids), "b_now": now_us}

        def work(connection: Connection) -> Due | None:
            for row in connection.execute(sql.EXTRACTS, values).all():
                node = Node(row.level, row.number)
                due = Due(ConversationId(row.conversation_id), node, row.revision, row.tries)
                at = {**_as_was(due), "b_retry": row.retry_us, "b_until": until_us}
                is_ready = _parts_are_written(connection, due)
                if is_ready and connection.execute(sql.CLAIM, at).rowcount:
                    return due
            return None

        return await self._database.write(work) if conversation_ids else None

    async def later(self, due: Due, until_us: int) -> None:
        values = {**_as_was(due), "b_until": until_us}
        await self._database.write(lambda it: it.execute(sql.LATER, values))

    async def those(
        self, conversation_id: ConversationId, nodes: Collection[Node]
    ) -> Mapping[Node, Summary]:
        asked = [{"where": conversation_id, "level": it.level, "number": it.number} for it in nodes]
        rows = await self._database.read(lambda it: sql.THOSE.rows(it, asked), snapshot=False)
        return {it.node: it for it in map(_summary, rows)}

    async def listed(
        self, conversation_id: ConversationId, level: int | None, after: Node | None, limit: int
    ) -> Sequence[Summary]:
        values = {
            "b_where": conversation_id,
            "b_level": after.level if after else -1,
            "b_number": after.number if after else -1,
            "b_least": level or 0,
            "b_most": _MOST_LEVEL if level is None else level,
            "b_limit": limit,
        }
        rows = await self._database.read(lambda it: it.execute(sql.LISTED, values).all())
        return [_summary(row) for row in rows]

    async def blocks_of(
        self,
        conversation_id: ConversationId,
        message_ids: Collection[MessageId],
        turn_ids: Collection[str],
    ) -> Collection[int]:
        return await self._database.read(
            lambda it: _blocks_of(it, conversation_id, message_ids, turn_ids)
        )


def _by_conversation(rows: Sequence[Any]) -> Mapping[ConversationId, Place]:
    return {ConversationId(row[0]): Place(*row[1:]) for row in rows}


def _moved(
    connection: Connection, conversation_id: str, before: Place | None, after: Place
) -> bool:
    names = ("cursor", "block", "count", "size", "last_us")
    if before is None:
        row = {"conversation_id": conversation_id, **{it: getattr(after, it) for it in names}}
        return bool(sql.BEGIN.run(connection, [row]))
    values = {"b_where": conversation_id, "b_cursor": before.cursor}
    values |= {f"b_new_{it}": getattr(after, it) for it in names}
    return connection.execute(sql.GO_ON, values).rowcount == 1


def _add_messages(
    connection: Connection, where: str, before: Place, posted: Sequence[tuple[Posted, int]]
) -> None:
    """Keep those that were not erased since they were read."""
    if not posted:
        return
    hold(connection, where, time.time_ns() // 1000)
    gone = erased_in(connection, where, [it.message_id for it, _ in posted])
    rows, block, place = list[dict[str, Any]](), before.block, before.count
    for it, of in posted:
        block, place = of, place if of == block else 0
        if it.message_id in gone:
            continue
        row = {"conversation_id": where, "message_id": it.message_id, "block": of}
        rows.append({**row, "place": place, "turn_id": it.turn_id})
        place += 1
    sql.ADD_MESSAGES.run(connection, rows)


def _due_row(conversation_id: str, node: Node) -> dict[str, Any]:
    return {
        "conversation_id": conversation_id,
        "level": node.level,
        "number": node.number,
        "state": int(State.DUE),
        "revision": 0,
        "retry_us": 0,
        "tries": 0,
        "body": b"",
    }


def _anew(
    connection: Connection,
    where: str,
    blocks: int,
    message_ids: Collection[str],
    turn_ids: Collection[str],
) -> None:
    """Have all made anew that has something of these, and know the messages no more."""
    found = _blocks_of(connection, where, message_ids, turn_ids)
    nodes = {node for block in found for node in above(block, blocks)}
    for level, number in sorted(nodes):
        at = {"b_where": where, "b_level": level, "b_number": number}
        connection.execute(sql.ANEW, at)
    if message_ids:
        connection.execute(sql.TAKE_MESSAGES, {"b_where": where, "b_those": list(message_ids)})


def _blocks_of(
    connection: Connection, where: str, message_ids: Collection[str], turn_ids: Collection[str]
) -> set[int]:
    found = set[int]()
    for statement, those in ((sql.OF_MESSAGES, message_ids), (sql.OF_TURNS, turn_ids)):
        if those:
            rows = connection.execute(statement, {"b_where": where, "b_those": list(those)})
            found.update(row[0] for row in rows)
    return found


def _as_was(due: Due) -> dict[str, Any]:
    return {
        "b_where": due.conversation_id,
        "b_level": due.node.level,
        "b_number": due.node.number,
        "b_revision": due.revision,
    }


def _parts_are_written(connection: Connection, due: Due) -> bool:
    """A model is asked about what it wrote itself, or about messages."""
    parts = due.node.children
    if not parts:
        return True
    values = {
        "b_where": due.conversation_id,
        "b_level": parts[0].level,
        "b_first": parts[0].number,
        "b_last": parts[-1].number,
    }
    return bool(connection.execute(sql.WRITTEN_PARTS, values).scalar_one() == FAN_OUT)


def _summary(row: Any) -> Summary:
    return summary_of(pb.Summary.FromString(row[0]))
