"""What is too old goes a few at a time, and what is not stays."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection, insert, select

from antiphon_server.memory.adapters.tables import erased_sources
from antiphon_server.notifying.adapters.tables import notes
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.forgetting import forget_in_batches
from tests.fakes.databases import on_each_kind

T = TypeVar("T")
AGE = notes.c.created_us


class Counting:
    """A database that counts its commits."""

    def __init__(self, database: Database) -> None:
        self.database, self.commits = database, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.database, name)

    async def write(self, work: Callable[[Connection], T]) -> T:
        self.commits += 1
        return await self.database.write(work)


database = on_each_kind(Counting, notes.metadata)
pairs = on_each_kind(lambda it: it, erased_sources.metadata)


async def numbers(database: Counting) -> list[int]:
    """Those that are left."""
    query = select(AGE).order_by(AGE)
    return await database.database.read(lambda it: list(it.execute(query).scalars()))


@pytest.fixture
async def it(database: Counting) -> Counting:
    rows = [
        {"notification_id": f"ntf_{it:08}", "created_us": it, "creator": "", "body": b""}
        for it in range(30)
    ]
    await database.database.write(lambda it: it.execute(insert(notes), rows))
    return database


async def test_what_is_old_goes_in_several_commits(it: Counting) -> None:
    await forget_in_batches(it, notes, AGE < 25, 10)  # type: ignore[arg-type]
    assert (await numbers(it), it.commits) == (list(range(25, 30)), 3)


async def test_servers_that_do_so_at_once_are_in_nobodys_way(it: Counting) -> None:
    old = AGE < 25
    await asyncio.gather(*(forget_in_batches(it.database, notes, old, 10) for _ in range(3)))
    await forget_in_batches(it.database, notes, old, 10)
    assert await numbers(it) == list(range(25, 30))


async def test_rows_that_have_a_part_of_their_key_in_common_are_different(
    pairs: Database,
) -> None:
    """What is old goes, in as many commits as it takes; what has half of its key stays."""
    rows = [
        {"conversation_id": where, "message_id": f"m{it}", "create_us": age}
        for age, where in ((1, "old"), (9, "new"))
        for it in range(5)
    ]
    await pairs.write(lambda it: it.execute(insert(erased_sources), rows))
    await forget_in_batches(pairs, erased_sources, erased_sources.c.create_us < 5, 2)
    left = select(erased_sources.c.conversation_id)
    found = await pairs.read(lambda it: list(it.execute(left).scalars()))
    assert found == ["new"] * 5
