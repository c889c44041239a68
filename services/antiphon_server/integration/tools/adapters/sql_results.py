"""Large results of tools, in a SQL database."""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, delete, func, insert, select, update

from antiphon_server.integration.ledger.adapters.tables import calls
from antiphon_server.integration.tools.adapters.tables import tool_results as table
from antiphon_server.integration.tools.model import Caller, KeptPart, Piece, ToolCallId
from antiphon_server.runtime.errors import not_found
from antiphon_server.runtime.storage.database import Database

_FARTHEST = 2**31 - 2
_OF_CALL = (
    table.c.conversation_id == bindparam("b_conversation_id"),
    table.c.tool_call_id == bindparam("b_tool_call_id"),
)
_FORGET = delete(table).where(*_OF_CALL)
_KEEP = insert(table)
_ERASE = delete(table).where(
    table.c.conversation_id == bindparam("b_conversation_id"),
    table.c.tool_call_id.in_(bindparam("b_call_ids", expanding=True)),
)
_ERASE_SAID = (
    update(calls)
    .where(
        calls.c.provider_message != "",
        calls.c.conversation_id == bindparam("b_conversation_id"),
        calls.c.turn_id.in_(bindparam("b_turn_ids", expanding=True)),
    )
    .values(provider_message="")
)
_LATER = select(table.c.part).where(*_OF_CALL, table.c.attempt > bindparam("b_attempt")).limit(1)
_AGES = (
    select(table.c.tool_call_id, func.sum(table.c.size))
    .where(table.c.workspace_id == bindparam("b_workspace_id"))
    .group_by(table.c.created_us, table.c.tool_call_id)
    .order_by(table.c.created_us.desc())
)
_MAKE_ROOM = delete(table).where(
    table.c.workspace_id == bindparam("b_workspace_id"),
    table.c.tool_call_id == bindparam("b_tool_call_id"),
)
_FIRST = bindparam("b_first", type_=Integer)
_LENGTH = bindparam("b_length", type_=Integer)
_PARTS = select(func.count()).where(*_OF_CALL).scalar_subquery()
_READ = select(
    table.c.kind,
    table.c.media_type,
    func.substr(table.c.data, _FIRST, _LENGTH),
    table.c.size,
    _PARTS,
).where(*_OF_CALL, table.c.part == bindparam("b_part"))


class SqlResultStore:
    """A :class:`~antiphon_server.integration.tools.ports.ResultStore` in a SQL database.

    It keeps ``most`` bytes for each workspace.
    """

    def __init__(self, database: Database, most: int) -> None:
        self._database, self._most = database, most

    async def keep(self, caller: Caller, call_id: ToolCallId, parts: Sequence[KeptPart]) -> bool:
        size = sum(len(it.data) for it in parts)
        if size > self._most:
            return False
        now = time.time_ns() // 1000
        rows = [_row(caller, call_id, now, at, part) for at, part in enumerate(parts)]

        of = _call(caller.conversation_id, call_id)

        def keep(connection: Connection) -> bool:
            if connection.execute(_LATER, of | {"b_attempt": caller.attempt}).first():
                return False
            connection.execute(_FORGET, of)
            _make_room(connection, caller.workspace_id, self._most - size)
            connection.execute(_KEEP, rows)
            return True

        return await self._database.write(keep)

    async def read(
        self, conversation_id: str, call_id: ToolCallId, part: int, offset: int, length: int
    ) -> Piece:
        at = {"b_part": part, "b_first": min(offset, _FARTHEST) + 1, "b_length": length}
        of = _call(conversation_id, call_id)
        found = await self._database.read(lambda it: it.execute(_READ, of | at).one_or_none())
        if found is None:
            raise not_found(f"part {part} of the result of {call_id}")
        kind, media_type, data, size, parts = found
        return Piece(kind, media_type, bytes(data), size, parts)

    async def erase(
        self, conversation_id: str, call_ids: Sequence[ToolCallId], turn_ids: Sequence[str]
    ) -> None:
        await self._database.write(lambda it: _erase(it, conversation_id, call_ids, turn_ids))
        await self._database.scrub((table.name, calls.name))


def _erase(
    connection: Connection, conversation_id: str, call_ids: Sequence[str], turn_ids: Sequence[str]
) -> None:
    if call_ids:
        those = {"b_conversation_id": conversation_id, "b_call_ids": list(call_ids)}
        connection.execute(_ERASE, those)
    if turn_ids:
        of = {"b_conversation_id": conversation_id, "b_turn_ids": list(turn_ids)}
        connection.execute(_ERASE_SAID, of)


def _make_room(connection: Connection, workspace_id: str, room: int) -> None:
    """Keep the newest of a workspace's results for which there is ``room``."""
    of = {"b_workspace_id": workspace_id}
    gone = []
    for call_id, size in connection.execute(_AGES, of):
        room -= int(size)
        if room < 0:
            gone.append(of | {"b_tool_call_id": call_id})
    if gone:
        connection.execute(_MAKE_ROOM, gone)


def _call(conversation_id: str, call_id: ToolCallId) -> dict[str, Any]:
    return {"b_conversation_id": conversation_id, "b_tool_call_id": call_id}


def _row(caller: Caller, call_id: ToolCallId, now: int, at: int, part: KeptPart) -> dict[str, Any]:
    return {
        "conversation_id": caller.conversation_id,
        "tool_call_id": call_id,
        "part": at,
        "workspace_id": caller.workspace_id,
        "created_us": now,
        "kind": part.kind,
        "media_type": part.media_type,
        "size": len(part.data),
        "data": part.data,
        "attempt": caller.attempt,
    }
