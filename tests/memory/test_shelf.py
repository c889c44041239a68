"""The index knows the memories that there are, on whichever server they were changed."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pytest

from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.index import Index, Query
from antiphon_server.memory.memories.expiring import Expiring
from antiphon_server.memory.remembered import Changed, Kind, Memory
from antiphon_server.memory.search import shelf as shelves
from antiphon_server.memory.search.shelf import Shelf, key_of
from antiphon_server.runtime.access.principal import UserId
from tests.e2e.until import PATIENCE_S
from tests.fakes.databases import opened_sqlite

T = TypeVar("T")
ROOM_FOR_ONE = 3000
ANN, BOB = "users/user_0000000ann", "users/user_0000000bob"


class Server:
    """One with an index of its own, a clock that is set, and people's names."""

    def __init__(self, store: SqlMemories, max_bytes: int = 1 << 20) -> None:
        self.index, self.now_s, self.asked = Index(), 1000.0, 0
        self.shelf = Shelf(store, self, self, max_bytes, lambda: self.now_s)

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        self.asked += 1
        return {it: "Annabel" for it in user_ids if ANN.endswith(it)}

    async def with_index(self, work: Callable[[Index], T]) -> T:
        return await asyncio.to_thread(work, self.index)

    async def found(self, query: str, *scopes: str) -> list[str]:
        """The ids of what a search finds."""
        async with self.shelf.opened(scopes or (ANN,), PATIENCE_S) as shelved:
            keys = [key_of(it) for it in shelved.scopes]
            hits = await self.with_index(lambda index: index.search(Query(query), keys))
        return [it.document_id for it in hits]


@pytest.fixture
async def store() -> AsyncIterator[SqlMemories]:
    async with opened_sqlite(metadata) as database:
        yield SqlMemories(database)


def memory(number: int, text: str, scope: str = ANN) -> Memory:
    """One of a scope."""
    return Memory(
        f"mem_{number:08}", scope, Kind.FACT, text, etag=f"e{number}", create_us=number, update_us=1
    )


async def test_what_another_server_changes_is_found_as_it_is(store: SqlMemories) -> None:
    """Put, corrected, superseded and forgotten: the next search knows."""
    here, there = Server(store), Server(store)
    assert await here.found("Lyon") == []
    one, two = memory(1, "Ann lives in Lyon"), memory(2, "Ann lives in Paris")
    await store.put(one, None)
    assert await here.found("Lyon") == await there.found("Lyon") == [one.memory_id]
    await store.replace(replace(one, text="Ann lives in Nantes", version=2, etag="e9"), "e1")
    assert await here.found("Lyon") == []
    assert await there.found("Nantes") == [one.memory_id]
    await store.put(replace(two, supersedes=one.memory_id), None)
    assert await here.found("lives") == [two.memory_id]
    await store.forget(two.memory_id, 1)
    assert await here.found("lives") == await there.found("lives") == []


async def test_nothing_is_read_again_that_has_not_changed(store: SqlMemories) -> None:
    server = Server(store)
    await store.put(memory(1, "Ann lives in Lyon"), None)
    await server.found("Lyon")
    asked = server.asked
    await server.found("Lyon")
    assert server.asked == asked


async def test_only_the_scopes_that_are_asked_for_are_searched(store: SqlMemories) -> None:
    server = Server(store)
    await store.put(memory(1, "tea", ANN), None)
    await store.put(memory(2, "tea", BOB), None)
    assert set(await server.found("tea", ANN, BOB)) == {"mem_00000001", "mem_00000002"}
    assert await server.found("tea", BOB) == ["mem_00000002"]


async def test_a_name_finds_what_is_about_them(store: SqlMemories) -> None:
    """So does a name that is given with it and does not occur in the text."""
    server = Server(store)
    await store.put(replace(memory(1, "lives in Lyon"), entities=("Mirabelle",)), None)
    assert await server.found("Mirabelle") == ["mem_00000001"]


async def test_what_expires_is_found_no_more(store: SqlMemories) -> None:
    """Unless it has got more time meanwhile; a task forgets it then, and has that told."""
    server = Server(store)
    short, long = memory(1, "short of Lyon"), memory(2, "long of Lyon")
    for it in (short, long):
        await store.put(replace(it, expire_us=1_001_000_000), None)
    assert len(await server.found("Lyon")) == 2
    later = replace(long, expire_us=2_000_000_000, version=2, etag="e8")
    assert await store.replace(later, long.etag)
    server.now_s = 1001
    assert await server.found("Lyon") == [long.memory_id]
    times = list[float]()

    async def told() -> None:
        times.append(server.now_s)

    assert await Expiring(store, told).forget() == 2
    assert (await server.found("Lyon"), times) == ([], [1001])


class Watched(SqlMemories):
    """Keeps of how many memories it has told."""

    told = 0
    then: "Callable[[], Awaitable[object]] | None" = None
    """What happens behind the first page."""

    async def changed(
        self, scope: str, after: int, limit: int, forgotten_after: int = 0
    ) -> Changed:
        found = await super().changed(scope, after, limit, forgotten_after)
        self.told += len(found.memories)
        if self.then is not None:
            then, self.then = self.then, None
            await then()
        return found


async def test_a_scope_is_read_without_what_was_forgotten_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is forgotten while it is read is found no more, either."""
    monkeypatch.setattr(shelves, "PAGE", 2)
    async with opened_sqlite(metadata) as database:
        store = Watched(database)
        for number in range(9):
            await store.put(memory(number, f"number {number} of Lyon"), None)
        for number in range(5):
            await store.forget(f"mem_{number:08}", 1)
        store.then = partial(store.forget, "mem_00000005", 1)
        assert set(await Server(store).found("Lyon")) == {f"mem_{it:08}" for it in (6, 7, 8)}
        assert store.told == 5


async def test_many_are_read_page_by_page(
    store: SqlMemories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "PAGE", 3)
    for number in range(8):
        await store.put(memory(number, f"number {number} of Lyon"), None)
    assert len(await Server(store).found("Lyon")) == 8


async def test_scopes_that_were_asked_for_longest_ago_make_room(store: SqlMemories) -> None:
    """They are read again when they are asked for again."""
    server = Server(store, max_bytes=ROOM_FOR_ONE)
    for number, scope in enumerate((ANN, BOB)):
        await store.put(memory(number, "tea", scope), None)
        assert len(await server.found("tea", scope)) == 1
    assert key_of(ANN) not in server.index
    assert len(await server.found("tea", ANN)) == 1
    assert key_of(BOB) not in server.index


async def test_what_is_being_searched_is_not_given_up(store: SqlMemories) -> None:
    """Who comes meanwhile has no room, is told that there is more, and finds it later."""
    server = Server(store, max_bytes=ROOM_FOR_ONE)
    for number, scope in enumerate((ANN, BOB)):
        await store.put(memory(number, "tea", scope), None)
    async with server.shelf.opened([ANN], PATIENCE_S):
        async with server.shelf.opened([BOB], PATIENCE_S) as theirs:
            assert theirs == ([], True)
        assert key_of(ANN) in server.index
        assert server.shelf.size_bytes <= ROOM_FOR_ONE
    server.now_s += 61
    assert len(await server.found("tea", BOB)) == 1
    async with server.shelf.opened(
        [ANN, BOB], PATIENCE_S
    ) as both:  # the bound holds for one call, too
        assert both == ([ANN], True)


async def test_of_a_large_scope_what_is_most_important_is_searched(
    store: SqlMemories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of that the newest; what had no room is found once others are gone."""
    monkeypatch.setattr(shelves, "LEAST_BYTES", 50_000)
    server = Server(store, max_bytes=100_000)
    for number in range(60):
        text = " ".join(f"w{number}x{word}" for word in range(20)) + " Lyon"
        important = replace(memory(number, text), importance=0.9 if number < 3 else 0.5)
        await store.put(important, None)
    async with server.shelf.opened([ANN], PATIENCE_S) as shelved:
        assert shelved == ([ANN], True)
    assert server.index.partition_bytes(key_of(ANN)) <= 50_000
    assert await server.found("w1x7") == ["mem_00000001"]
    assert await server.found("w59x7") == ["mem_00000059"]
    assert await server.found("w29x7") == []
    for number in range(30, 60):
        await store.forget(f"mem_{number:08}", number)
    await server.found("Lyon")
    await store.put(memory(99, "of Lyon"), None)
    assert await server.found("w29x7") == ["mem_00000029"]


async def test_a_scope_that_takes_long_to_read_is_read_without_who_asks(store: SqlMemories) -> None:
    """They are told that there is more, others find theirs at once, and later all is found."""
    for number in range(1200):
        await store.put(memory(number, f"tea {number}x"), None)
    await store.put(memory(2000, "tea", BOB), None)
    server = Server(store, max_bytes=8 << 20)
    async with server.shelf.opened([ANN], 0.001) as shelved:
        assert shelved == ([], True)
    assert await server.found("tea", BOB) == ["mem_00002000"]
    async with server.shelf.opened([ANN, BOB], 0) as shelved:
        assert BOB in shelved.scopes
    assert await server.found("1199x") == ["mem_00001199"]
    await store.put(memory(3000, "milk"), None)
    assert await server.found("milk") == ["mem_00003000"]


async def test_what_is_read_ends_with_the_server(store: SqlMemories) -> None:
    """Nothing is left running."""
    for number in range(600):
        await store.put(memory(number, f"tea {number}x"), None)
    server = Server(store)
    async with server.shelf.opened([ANN], 0.001):
        pass
    await server.shelf.stop()
    names = {it.get_name() for it in asyncio.all_tasks()}
    assert not [it for it in names if it.startswith("memory.shelf")]


async def test_one_users_words_leave_room_for_others(store: SqlMemories) -> None:
    """A hundred thousand words that nobody else has: they are charged for, and others search."""
    choice, server = random.Random(1), Server(store, max_bytes=8 << 20)
    await store.put(memory(1, "Bob lives in Lyon", BOB), None)
    assert await server.found("Lyon", BOB) == ["mem_00000001"]
    for number in range(100, 600):
        words = (f"{choice.getrandbits(64):x}" for _ in range(200))
        await store.put(memory(number, " ".join(words)), None)
    async with server.shelf.opened([ANN], PATIENCE_S) as shelved:
        assert shelved == ([ANN], True)
    own = server.index.partition_bytes(key_of(ANN))
    assert own <= 1 << 20
    assert server.index.size_bytes - own < 10_000
    assert await server.found("Lyon", BOB) == ["mem_00000001"]
