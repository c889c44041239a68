"""Summaries in a SQL database.

How far a log was read, which messages that were and which summaries are due changes in one
transaction, and a summary is kept only of what it was made of: so neither a crash nor another
server that does the same makes anything twice, or loses anything.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from antiphon.memory.v1 import summary_pb2 as pb
from antiphon_server.memory.adapters.tables import summaries, summary_messages, summary_places
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
from antiphon_server.runtime.storage.statements import PreparedIn, PreparedInsert

_AT_ONCE = 500
_ASKED = 32
_TABLES = ("memory_summaries", "memory_summary_messages", "memory_summary_places")
_S, _M, _P = summaries.c, summary_messages.c, summary_places.c
_HERE = _S.conversation_id == bindparam("b_where")
_THIS = and_(_HERE, _S.level == bindparam("b_level"), _S.number == bindparam("b_number"))
_AS_WAS = and_(_THIS, _S.revision == bindparam("b_revision"))
_NEXT = _S.revision + 1


def _places_of(places: range) -> ClauseElement:
    asked: list[Any] = [bindparam(f"conversation_id_{n}") for n in places]
    return select(summary_places).where(_P.conversation_id.in_(asked))


def _nodes_of(places: range) -> ClauseElement:
    """One search of an index for each: of a list of pairs SQLite reads the whole table."""
    asked = [
        and_(
            _S.conversation_id == bindparam(f"where_{n}"),
            _S.level == bindparam(f"level_{n}"),
            _S.number == bindparam(f"number_{n}"),
        )
        for n in places
    ]
    return select(_S.body).where(or_(*asked), _S.state != int(State.DUE))


def _of(place: str) -> Any:
    return _M.conversation_id == bindparam(place)


_PLACES = PreparedIn(_places_of)
_KNOWN = (
    select(summary_places)
    .where(_P.conversation_id > bindparam("b_after"))
    .order_by(_P.conversation_id)
    .limit(bindparam("b_limit"))
)
_BEGIN = PreparedInsert(summary_places, " ON CONFLICT DO NOTHING")
_GO_ON = (
    update(summary_places)
    .where(_P.conversation_id == bindparam("b_where"), _P.cursor == bindparam("b_cursor"))
    .values({name: bindparam(f"b_new_{name}") for name in ("block", "count", "size", "last_us")})
    .values(cursor=bindparam("b_new_cursor"))
)
_HOLD = (  # whoever reads on, or forgets something, waits for the other
    update(summary_places).where(_P.conversation_id == bindparam("b_where")).values(block=_P.block)
)
_BLOCK = select(_P.block).where(_P.conversation_id == bindparam("b_where"))
_ADD_MESSAGES = PreparedInsert(summary_messages, " ON CONFLICT DO NOTHING")
_ADD_DUE = PreparedInsert(summaries, " ON CONFLICT DO NOTHING")
_BLOCKS_OF = select(_M.block).distinct()
_OF_MESSAGES = _BLOCKS_OF.where(
    _of("b_where"), _M.message_id.in_(bindparam("b_those", expanding=True))
)
_OF_TURNS = _BLOCKS_OF.where(_of("b_where"), _M.turn_id.in_(bindparam("b_those", expanding=True)))
_TAKE_MESSAGES = delete(summary_messages).where(
    _of("b_where"), _M.message_id.in_(bindparam("b_those", expanding=True))
)
_ANEW = (
    update(summaries)
    .where(_THIS)
    .values(state=int(State.DUE), revision=_NEXT, retry_us=0, tries=0, body=b"")
)
_DROP = [
    delete(it).where(it.c.conversation_id == bindparam("b_where"))
    for it in (summaries, summary_messages)
]
_DROP_PLACE = delete(summary_places).where(
    _P.conversation_id == bindparam("b_where"), _P.cursor == bindparam("b_cursor")
)
_WAITING = (
    select(_S.conversation_id)
    .where(_S.state == int(State.DUE))
    .distinct()
    .limit(bindparam("b_limit"))
)
_DUE = (
    select(_S.level, _S.number, _S.revision, _S.tries)
    .where(_S.state == int(State.DUE), _HERE)
    .order_by(_S.level, _S.number)
    .limit(bindparam("b_limit"))
)
_PENDING = select(func.count()).where(_S.state == int(State.DUE), _HERE)
_MESSAGES = (
    select(_M.message_id).where(_of("b_where"), _M.block == bindparam("b_block")).order_by(_M.place)
)
_PUT = (
    update(summaries)
    .where(_AS_WAS)
    .values(state=bindparam("b_state"), body=bindparam("b_body"), revision=_NEXT)
)
_EXTRACTS = (
    select(_S.conversation_id, _S.level, _S.number, _S.revision, _S.tries, _S.retry_us)
    .where(
        _S.state == int(State.EXTRACT),
        _S.conversation_id.in_(bindparam("b_those", expanding=True)),
        _S.retry_us <= bindparam("b_now"),
    )
    .order_by(_S.level, _S.number.desc())
    .limit(_ASKED)
)
_WRITTEN_PARTS = select(func.count()).where(
    _HERE,
    _S.level == bindparam("b_level"),
    _S.number.between(bindparam("b_first"), bindparam("b_last")),
    _S.state == int(State.MODEL),
)
_CLAIM = (
    update(summaries)
    .where(_AS_WAS, _S.retry_us == bindparam("b_retry"))
    .values(retry_us=bindparam("b_until"), tries=_S.tries + 1)
)
_LATER = update(summaries).where(_AS_WAS).values(retry_us=bindparam("b_until"))
_THOSE = PreparedIn(_nodes_of)
_LISTED = (
    select(_S.body)
    .where(
        _HERE,
        _S.state != int(State.DUE),
        or_(
            _S.level > bindparam("b_level"),
            and_(_S.level == bindparam("b_level"), _S.number > bindparam("b_number")),
        ),
        _S.level.between(bindparam("b_least"), bindparam("b_most")),
    )
    .order_by(_S.level, _S.number)
    .limit(bindparam("b_limit"))
)
_MOST_LEVEL = 1_000


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
                rows += _PLACES.rows(connection, asked[start : start + _AT_ONCE])
            return _by_conversation(rows)

        return await self._database.read(work)

    async def known(self, after: ConversationId, limit: int) -> Mapping[ConversationId, Place]:
        values = {"b_after": after, "b_limit": limit}
        return await self._database.read(
            lambda it: _by_conversation(it.execute(_KNOWN, values).all())
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
            _ADD_DUE.run(connection, [_due_row(conversation_id, it) for it in complete])
            _anew(connection, conversation_id, after.block, erased, undone)
            return True

        return await self._database.write(work)

    async def drop(self, conversation_id: ConversationId, cursor: str) -> bool:
        values = {"b_where": conversation_id, "b_cursor": cursor}

        def work(connection: Connection) -> bool:
            if not connection.execute(_DROP_PLACE, values).rowcount:
                return False
            for statement in _DROP:
                connection.execute(statement, {"b_where": conversation_id})
            return True

        return await self._database.write(work)

    async def forget(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> None:
        def work(connection: Connection) -> None:
            connection.execute(_HOLD, {"b_where": conversation_id})
            row = connection.execute(_BLOCK, {"b_where": conversation_id}).first()
            if row is not None:
                _anew(connection, conversation_id, row.block, message_ids, ())

        await self._database.write(work)

    async def scrub(self) -> None:
        await self._database.scrub(_TABLES)

    async def waiting(self, limit: int) -> Sequence[ConversationId]:
        values = {"b_limit": limit}
        rows = await self._database.read(lambda it: it.execute(_WAITING, values).all())
        return [ConversationId(row[0]) for row in rows]

    async def due(self, conversation_id: ConversationId, limit: int) -> Sequence[Due]:
        values = {"b_where": conversation_id, "b_limit": limit}
        rows = await self._database.read(lambda it: it.execute(_DUE, values).all())
        return [
            Due(conversation_id, Node(row.level, row.number), row.revision, row.tries)
            for row in rows
        ]

    async def pending(self, conversation_id: ConversationId) -> int:
        values = {"b_where": conversation_id}
        return int(await self._database.read(lambda it: it.execute(_PENDING, values).scalar_one()))

    async def message_ids(self, conversation_id: ConversationId, block: int) -> list[MessageId]:
        values = {"b_where": conversation_id, "b_block": block}
        rows = await self._database.read(lambda it: it.execute(_MESSAGES, values).all())
        return [MessageId(row[0]) for row in rows]

    async def put(self, due: Due, summary: Summary) -> bool:
        body = summary_message(due.conversation_id, summary).SerializeToString()
        values = {**_as_was(due), "b_state": int(summary.state), "b_body": body}
        return await self._database.write(lambda it: it.execute(_PUT, values).rowcount == 1)

    async def claim(
        self, conversation_ids: Collection[ConversationId], now_us: int, until_us: int
    ) -> Due | None:
        values = {"b_those": list(conversation_ids), "b_now": now_us}

        def work(connection: Connection) -> Due | None:
            for row in connection.execute(_EXTRACTS, values).all():
                node = Node(row.level, row.number)
                due = Due(ConversationId(row.conversation_id), node, row.revision, row.tries)
                at = {**_as_was(due), "b_retry": row.retry_us, "b_until": until_us}
                is_ready = _parts_are_written(connection, due)
                if is_ready and connection.execute(_CLAIM, at).rowcount:
                    return due
            return None

        return await self._database.write(work) if conversation_ids else None

    async def later(self, due: Due, until_us: int) -> None:
        values = {**_as_was(due), "b_until": until_us}
        await self._database.write(lambda it: it.execute(_LATER, values))

    async def those(
        self, conversation_id: ConversationId, nodes: Collection[Node]
    ) -> Mapping[Node, Summary]:
        asked = [{"where": conversation_id, "level": it.level, "number": it.number} for it in nodes]
        rows = await self._database.read(lambda it: _THOSE.rows(it, asked), snapshot=False)
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
        rows = await self._database.read(lambda it: it.execute(_LISTED, values).all())
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
        return bool(_BEGIN.run(connection, [row]))
    values = {"b_where": conversation_id, "b_cursor": before.cursor}
    values |= {f"b_new_{it}": getattr(after, it) for it in names}
    return connection.execute(_GO_ON, values).rowcount == 1


def _add_messages(
    connection: Connection, where: str, before: Place, posted: Sequence[tuple[Posted, int]]
) -> None:
    rows, block, place = list[dict[str, Any]](), before.block, before.count
    for it, of in posted:
        block, place = of, place if of == block else 0
        row = {"conversation_id": where, "message_id": it.message_id, "block": of}
        rows.append({**row, "place": place, "turn_id": it.turn_id})
        place += 1
    _ADD_MESSAGES.run(connection, rows)


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
        connection.execute(_ANEW, at)
    if message_ids:
        connection.execute(_TAKE_MESSAGES, {"b_where": where, "b_those": list(message_ids)})


def _blocks_of(
    connection: Connection, where: str, message_ids: Collection[str], turn_ids: Collection[str]
) -> set[int]:
    found = set[int]()
    for statement, those in ((_OF_MESSAGES, message_ids), (_OF_TURNS, turn_ids)):
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
    return bool(connection.execute(_WRITTEN_PARTS, values).scalar_one() == FAN_OUT)


def _summary(row: Any) -> Summary:
    return summary_of(pb.Summary.FromString(row[0]))
