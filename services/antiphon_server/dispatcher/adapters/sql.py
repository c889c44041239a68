"""Turns in a SQL database."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select, tuple_, update

from antiphon_server.dispatcher.adapters.row import NO_WORKER, from_row, to_row, turn_of
from antiphon_server.dispatcher.adapters.sql_erasing import erase
from antiphon_server.dispatcher.adapters.tables import handoffs, turns
from antiphon_server.dispatcher.model import ConversationId, State, StoredTurn, Turn, TurnId
from antiphon_server.dispatcher.notifying_room import NotesEnds
from antiphon_server.runtime.concurrency.grouping import Grouped
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert

_COLUMNS = [column.name for column in turns.c]
_KEY = ("turn_id", "conversation_id")
# An order never changes, and may say more than this version understands; a turn's worker is
# written by itself.
_KEPT = {*_KEY, "order_json", "content", *NO_WORKER}
_ENDED = int(State.SUCCEEDED)
_ADD = PreparedInsert(turns, " ON CONFLICT DO NOTHING RETURNING " + ", ".join(_KEY))
_PUT = PreparedInsert(
    turns,
    " ON CONFLICT (turn_id, conversation_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in _KEPT)
    + f" WHERE {turns.name}.node = excluded.node AND {turns.name}.attempt <= excluded.attempt"
    + f" AND ({turns.name}.state < {_ENDED} OR excluded.state >= {_ENDED})"
    + " RETURNING "
    + ", ".join(_KEY),
)
_GET = Prepared(
    lambda: select(turns).where(
        turns.c.turn_id == bindparam("turn_id"),
        turns.c.conversation_id == bindparam("conversation_id"),
    )
)
_CAME = Prepared(
    lambda: (
        select(turns.c.turn_id)
        .where(turns.c.turn_id == bindparam("turn_id"), turns.c.creator == bindparam("creator"))
        .limit(1)
    )
)
_LIST = (
    select(turns)
    .where(turns.c.conversation_id == bindparam("conversation_id"))
    .order_by(turns.c.created_us.desc(), turns.c.turn_id.desc())
    .limit(bindparam("limit"))
)
_LIST_BEFORE = _LIST.where(
    tuple_(turns.c.created_us, turns.c.turn_id)
    < tuple_(bindparam("created_us"), bindparam("turn_id"))
)
_ORPHANED = and_(
    turns.c.state < State.SUCCEEDED,
    or_(turns.c.lease_until_us < bindparam("b_now_us"), turns.c.node == bindparam("b_own")),
)
_ORPHANS = (
    select(turns)
    .where(_ORPHANED)
    .order_by(turns.c.created_us, turns.c.turn_id)
    .with_for_update(skip_locked=True)
)
_LEASE = (
    update(turns)
    .where(_ORPHANED)
    .values(node=bindparam("b_node"), lease_until_us=bindparam("until_us"))
)
_HELD = select(turns.c.turn_id).where(
    turns.c.node == bindparam("node"),
    turns.c.turn_id.in_(bindparam("turn_ids", expanding=True)),
    turns.c.state < State.SUCCEEDED,
)
_RENEW = (
    update(turns)
    .where(
        turns.c.node == bindparam("b_node"),
        turns.c.turn_id.in_(bindparam("turn_ids", expanding=True)),
    )
    .values(lease_until_us=bindparam("until_us"))
)


class SqlTurnStore:
    """A :class:`~antiphon_server.dispatcher.ports.TurnStore` in a SQL database.

    ``notes`` keep what is to be told of ends.
    """

    def __init__(self, database: Database, notes: NotesEnds | None = None) -> None:
        self._database, self._notes = database, notes
        self._added = Grouped(self._add_all, _weight)
        self._replaced = Grouped(self._put_all, _weight)

    async def close(self) -> None:
        """Write what waits; add and put raise DomainError DRAINING from now on."""
        await self._added.close()
        await self._replaced.close()

    async def add(self, turn: StoredTurn) -> StoredTurn:
        if await self._added.add(turn):
            return turn
        found = await self.get(turn.conversation_id, turn.turn_id)
        assert found is not None
        return found

    async def get(self, conversation_id: ConversationId, turn_id: TurnId) -> StoredTurn | None:
        key = {"conversation_id": conversation_id, "turn_id": turn_id}
        row = await self._database.read(
            lambda connection: _GET.row(connection, key), snapshot=False
        )
        return from_row(SimpleNamespace(**dict(zip(_COLUMNS, row, strict=True)))) if row else None

    async def came(self, creator: str, turn_id: TurnId) -> bool:
        key = {"creator": creator, "turn_id": turn_id}
        row = await self._database.read(
            lambda connection: _CAME.row(connection, key), snapshot=False
        )
        return row is not None

    async def erase(self, conversation_id: ConversationId, turn_ids: Collection[TurnId]) -> None:
        await self._database.write(lambda it: erase(it, conversation_id, turn_ids))
        await self._database.scrub((turns.name, handoffs.name))

    async def put(self, turn: StoredTurn) -> None:
        if not await self._replaced.add(turn):
            raise DomainError(Reason.FENCED, fence_key=turn.turn_id)

    async def _add_all(self, new: Sequence[StoredTurn]) -> list[bool]:
        """Store those that are not there; returns which."""
        rows = [to_row(turn) for turn in new]
        added = set(await self._database.write(lambda it: _ADD.returned(it, rows), short=True))
        # Of two with one key in a group the first was stored.
        return [_taken(added, _key(turn)) for turn in new]

    async def _put_all(self, changed: Sequence[StoredTurn]) -> list[bool]:
        """Replace those that are held still; returns which."""
        newest = {_key(turn): turn for turn in changed}
        rows = [to_row(turn) for turn in newest.values()]

        def store(connection: Connection) -> tuple[set[Any], Callable[[], None] | None]:
            replaced = set(_PUT.returned(connection, rows))
            if self._notes is not None and (ended := _ended(newest, replaced)):
                return replaced, self._notes.keep(connection, ended)
            return replaced, None

        replaced, committed = await self._database.write(store, short=True)
        if committed is not None:
            committed()
        return [_key(turn) in replaced for turn in changed]

    async def list(
        self, conversation_id: ConversationId, before: tuple[int, str] | None, limit: int
    ) -> Sequence[StoredTurn]:
        bound: dict[str, object] = {"conversation_id": conversation_id, "limit": limit}
        if before is not None:
            bound |= {"created_us": before[0], "turn_id": before[1]}
        query = _LIST if before is None else _LIST_BEFORE
        return await self._database.read(
            lambda connection: [from_row(row) for row in connection.execute(query, bound)]
        )

    async def claim(self, node: str, now_us: int, until_us: int, *, own: bool) -> Sequence[Turn]:
        def work(connection: Connection) -> list[Turn]:
            bound = {"b_now_us": now_us, "b_own": node if own else ""}
            found = [turn_of(row) for row in connection.execute(_ORPHANS, bound)]
            if found:
                connection.execute(_LEASE, bound | {"b_node": node, "until_us": until_us})
            return [replace(turn, node=node, lease_until_us=until_us) for turn in found]

        return await self._database.write(work)

    async def renew(self, node: str, turn_ids: Collection[TurnId], until_us: int) -> set[TurnId]:
        if not turn_ids:
            return set()
        ids = list(turn_ids)

        def work(connection: Connection) -> set[TurnId]:
            held = connection.execute(_HELD, {"node": node, "turn_ids": ids}).scalars().all()
            connection.execute(_RENEW, {"b_node": node, "turn_ids": ids, "until_us": until_us})
            return {TurnId(turn_id) for turn_id in held}

        return await self._database.write(work)


def _weight(turn: StoredTurn) -> int:
    return len(turn.order.content) if isinstance(turn, Turn) else 0


def _ended(
    turns: Mapping[tuple[str, str], StoredTurn], replaced: Collection[tuple[str, str]]
) -> list[Turn]:
    found = [turn for key, turn in turns.items() if key in replaced]
    return [turn for turn in found if isinstance(turn, Turn) and turn.state.ended]


def _key(turn: StoredTurn) -> tuple[str, str]:
    return turn.turn_id, turn.conversation_id


def _taken(keys: set[Any], key: tuple[str, str]) -> bool:
    found = key in keys
    keys.discard(key)
    return found
