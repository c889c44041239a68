"""One suite for memories: the embedded one, in memory and kept, and those of others."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.external.model import Change, Described, Hit, Place, Question
from antiphon_server.memory.external.ports import ExternalMemory
from antiphon_server.memory.index import Index, Query
from antiphon_server.memory.remembered import Kind, Memory, State
from antiphon_server.memory.search.shelf import Shelf, key_of
from antiphon_server.runtime.access.principal import UserId
from tests.fakes.databases import opened_sqlite, sqlite_in
from tests.memory.external.world import archive, by_http

T = TypeVar("T")
ANN, BOB = "users/user_0000000ann", "users/user_0000000bob"


class Embedded:
    """The server's own store and index, told and asked as memories of others are."""

    def __init__(self, store: SqlMemories) -> None:
        self._store, self._index = store, Index()
        self._shelf = Shelf(store, self, self)

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        return {}

    async def with_index(self, work: Callable[[Index], T]) -> T:
        return await asyncio.to_thread(work, self._index)

    async def describe(self) -> Described:
        return Described("embedded")

    async def remember(self, changes: Sequence[Change]) -> None:
        for it in changes:
            old = await self._store.get(it.memory_id)
            if it.memory is None:
                await self._store.forget(it.memory_id, 1, "services/memory")
            elif old is None:
                await self._store.put(it.memory, None)
            elif old.state is State.ACTIVE and old.version < it.memory.version:
                await self._store.replace(it.memory, old.etag)

    async def search(self, question: Question) -> Sequence[Hit]:
        query = Query(question.query, question.limit)
        async with self._shelf.opened(question.scopes, 60.0) as shelved:
            keys = [key_of(it) for it in shelved.scopes]
            hits = await self.with_index(lambda index: index.search(query, keys))
        return [Hit(it.document_id) for it in hits]

    async def still_there(self, places: Sequence[Place]) -> Collection[str]:
        found = await self._store.those([it.memory_id for it in places])
        return {it for it, memory in found.items() if memory.text}


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[ExternalMemory]:
    """An empty one."""
    if kind == "memory":
        async with opened_sqlite(metadata) as database:
            yield Embedded(SqlMemories(database))
    elif kind == "persistent":
        async with sqlite_in(folder / "store.db", metadata) as database:
            yield Embedded(SqlMemories(database))
    elif kind == "external":
        async with archive(folder) as memory:
            yield memory
    else:
        async with by_http() as memory:
            yield memory


@pytest.fixture(params=["memory", "persistent", "external", "mem0"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ExternalMemory]:
    """Each in turn."""
    async with opened(request.param, tmp_path) as memory:
        yield memory


def put(number: int, text: str, scope: str = ANN, revision: int = 0) -> Change:
    """What became of one of a scope: it says this."""
    memory = Memory(f"mem_{number:08}", scope, Kind.FACT, text, etag=f"e{number}", create_us=1)
    memory = replace(memory, version=max(1, revision - number + 1))
    return Change(memory.memory_id, scope, revision or number, memory)


def gone(change: Change, revision: int) -> Change:
    """It is to go."""
    return replace(change, memory=None, revision=revision)


async def ids(kept: ExternalMemory, query: str, *scopes: str) -> list[str]:
    """What is found, by ids."""
    found = await kept.search(Question(query, scopes or (ANN,), 10))
    return [it.memory_id for it in found]


async def test_what_it_was_told_is_found_in_its_scopes_alone(kept: ExternalMemory) -> None:
    one, two = put(1, "Ann lives in Lyon"), put(2, "Bob lives in Nice", BOB)
    await kept.remember([one, two])
    assert await ids(kept, "lives") == [one.memory_id]
    assert await ids(kept, "lives", BOB) == [two.memory_id]
    assert set(await ids(kept, "lives", ANN, BOB)) == {one.memory_id, two.memory_id}
    assert await ids(kept, "lives", "users/user_000000none") == []


async def test_what_it_is_told_again_it_has_once(kept: ExternalMemory) -> None:
    """Be it all of it, or what a call that was lost had begun."""
    changes = [put(1, "Ann lives in Lyon"), put(2, "Ann works in Nice")]
    await kept.remember(changes[:1])
    await kept.remember(changes)
    await kept.remember(changes)
    assert sorted(await ids(kept, "Ann")) == ["mem_00000001", "mem_00000002"]


async def test_what_is_corrected_is_found_by_what_it_says_now(kept: ExternalMemory) -> None:
    await kept.remember([put(1, "Ann lives in Lyon")])
    await kept.remember([put(1, "Ann dwells at Nantes", revision=2)])
    assert await ids(kept, "Nantes") == ["mem_00000001"]
    assert await ids(kept, "Lyon") == []


async def test_what_is_to_go_is_gone_however_often_it_is_told(kept: ExternalMemory) -> None:
    """It says so when it is asked; what it never had is gone as well."""
    one, two = put(1, "Ann lives in Lyon"), put(2, "Ann works in Nice")
    await kept.remember([one, two])
    places = [Place(it.memory_id, it.scope) for it in (one, two, put(3, "never told"))]
    assert set(await kept.still_there(places)) == {one.memory_id, two.memory_id}
    for _ in range(2):
        await kept.remember([gone(one, 3), gone(put(3, "never told"), 4)])
        assert await ids(kept, "Ann") == [two.memory_id]
        assert set(await kept.still_there(places)) == {two.memory_id}


async def test_it_says_the_same_of_itself_each_time(kept: ExternalMemory) -> None:
    described = await kept.describe()
    assert described == await kept.describe()
    assert described.store_id
    assert 0 < described.max_changes <= 100
