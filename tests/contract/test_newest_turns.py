"""Every store finds the newest turns, on which rules are tried."""

from dataclasses import replace

import pytest

from antiphon_server.dispatcher.adapters.newest_turns import AT_ONCE, NewestSqlTurns
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.adapters.tables import turns
from antiphon_server.dispatcher.model import ConversationId, Tombstone, Turn, TurnId
from antiphon_server.runtime.storage.database import Database
from tests.contract.test_turn_store import turn
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, turns.metadata)
MANY = AT_ONCE * 2 + 3
HERE, THERE = "ws_00000001", "ws_00000002"


def _at(number: int) -> Turn:
    """Every third is of another workspace; each has a conversation to itself."""
    workspace_id = THERE if number % 3 == 0 else HERE
    where = ConversationId(f"conv_{number:08}")
    return replace(
        turn(number), conversation_id=where, created_us=1000 + number, workspace_id=workspace_id
    )


@pytest.fixture
async def newest(database: Database) -> NewestSqlTurns:
    store = SqlTurnStore(database)
    for number in range(MANY):
        await store.add(_at(number))
    stone = TurnId("turn_0cancelled"), ConversationId("conv_00000001")
    await store.add(Tombstone(*stone, "users/user_0000000ann", 9000, workspace_id=HERE))
    await store.close()
    return NewestSqlTurns(database)


async def _numbers(found: NewestSqlTurns, workspace_id: str, limit: int) -> list[int]:
    pages = [page async for page in found.newest(workspace_id, limit)]
    assert all(0 < len(page) <= AT_ONCE for page in pages)
    return [it.created_us - 1000 for page in pages for it in page]


async def test_turns_come_newest_first_a_few_at_a_time(newest: NewestSqlTurns) -> None:
    """Of all workspaces, or of one; without those that were cancelled before they came."""
    everywhere = list(range(MANY - 1, -1, -1))
    assert await _numbers(newest, "", 1000) == everywhere
    assert await _numbers(newest, THERE, 1000) == [it for it in everywhere if it % 3 == 0]
    assert await _numbers(newest, HERE, 20) == [it for it in everywhere if it % 3][:20]
    assert await _numbers(newest, "ws_00000009", 20) == []


async def test_the_same_id_elsewhere_is_another_turn(
    database: Database, newest: NewestSqlTurns
) -> None:
    """Callers choose ids: one of another workspace is not shown for it."""
    store = SqlTurnStore(database)
    mine, theirs = _at(1), _at(2)
    other = replace(theirs, turn_id=mine.turn_id, workspace_id=THERE, created_us=1)
    await store.add(replace(other, conversation_id=theirs.conversation_id))
    await store.close()
    assert sorted(await _numbers(newest, HERE, 1000)) == [it for it in range(MANY) if it % 3]
