"""A memory of others is told all that is remembered: in order, at least once, and what is to go."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from antiphon_server.memory.adapters.sql_external import SqlExternalProgress
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.external.model import Change, Described, Hit, Place, Question, Waiting
from antiphon_server.memory.external.taking import MOST_PASSED, REFUSED_S
from antiphon_server.memory.external.telling import Telling
from antiphon_server.memory.remembered import Kind, Memory
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.e2e.until import until
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, metadata)
OF_MORE_SERVERS = pytest.mark.parametrize("database", ["postgres"], indirect=True)
ANN, BOB = "users/user_0000000ann", "users/user_0000000bob"


class Store:
    """A memory of others, which fails and lies as it is told to; ``told`` are all changes."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.told: list[Change] = []
        self.described = Described("store-1", max_changes=3)
        self.away = False
        self.keeps_all = False
        self.refused = set[str]()
        self.asked: list[int] = []
        self.when_asked: Callable[[], Awaitable[object]] | None = None

    async def describe(self) -> Described:
        self._check()
        return self.described

    async def remember(self, changes: Sequence[Change]) -> None:
        assert len(changes) <= 3
        if self.refused.intersection(it.memory_id for it in changes):
            raise DomainError(Reason.TOOL_FAILED)
        self.told += changes
        for it in changes:
            if it.memory is not None:
                self.kept[it.memory_id] = it.memory.text
            elif not self.keeps_all:
                self.kept.pop(it.memory_id, None)
            self._check()  # what is lost is lost in the middle

    async def search(self, question: Question) -> Sequence[Hit]:
        raise NotImplementedError

    async def still_there(self, places: Sequence[Place]) -> Collection[str]:
        self._check()
        self.asked.append(len(places))
        if self.when_asked is not None:
            await self.when_asked()
        return [it.memory_id for it in places if it.memory_id in self.kept]

    def _check(self) -> None:
        if self.away:
            raise DomainError(Reason.CONNECTION_UNAVAILABLE)


class World:
    """Memories, one of others, and servers that tell it."""

    def __init__(self, database: Database) -> None:
        self.store, self.external = SqlMemories(database), Store()
        self.progress, self.now_us = SqlExternalProgress(database), 1_000_000

    def server(self, owner: str = "one") -> Telling:
        """One more server."""
        return Telling("archive", self.external, self.progress, owner, now_us=lambda: self.now_us)

    async def put(self, number: int, text: str, scope: str = ANN) -> Memory:
        """Remember something."""
        memory = Memory(f"mem_{number:08}", scope, Kind.FACT, text, etag="e1", create_us=1)
        return (await self.store.put(memory, None)).memory

    async def forget(self, number: int) -> None:
        """Forget it."""
        await self.store.forget(f"mem_{number:08}", 5, "services/memory")

    async def waiting(self) -> Waiting:
        """What it was not told."""
        return await self.progress.waiting("archive")


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def all_told(telling: Telling) -> None:
    """Tell it until nothing is left."""
    while await telling.tell():
        pass


async def test_it_is_told_all_and_then_what_is_new(world: World) -> None:
    """In the order of each scope, and nothing twice."""
    telling = world.server()
    for number in range(7):
        await world.put(number, f"text {number}", ANN if number % 2 else BOB)
    await all_told(telling)
    assert world.external.kept == {f"mem_{it:08}": f"text {it}" for it in range(7)}
    first = await world.store.get("mem_00000001")
    assert first is not None
    await world.store.replace(replace(first, text="new", version=2, etag="e2"), "e1")
    await world.forget(3)
    await all_told(telling)
    assert [(it.memory_id, it.revision) for it in world.external.told[7:]] == [
        ("mem_00000001", 4),
        ("mem_00000003", 6),
    ]
    assert world.external.kept["mem_00000001"] == "new"
    assert await world.waiting() == Waiting()


async def test_away_in_the_middle_it_misses_nothing(world: World) -> None:
    """What it was told in vain is told again; what changed meanwhile as it is now."""
    telling = world.server()
    for number in range(6):
        await world.put(number, f"text {number}")
    world.external.away = True
    with pytest.raises(DomainError):
        await all_told(telling)
    await world.forget(1)
    assert await world.waiting() == Waiting(changes=6)
    world.external.away = False
    await all_told(world.server())  # the first one may have died
    left = {f"mem_{it:08}": f"text {it}" for it in range(6) if it != 1}
    assert world.external.kept == left


async def tell_until_told(world: World, telling: Telling, minutes: int = 120) -> None:
    """Tell it for so long at most, once a minute while it fails."""
    until_us = world.now_us + minutes * 60_000_000
    while world.now_us < until_us:
        try:
            if not await telling.tell():
                break
        except DomainError:
            world.now_us += 60_000_000


async def test_what_it_refuses_for_good_holds_up_nothing(world: World) -> None:
    telling = world.server()
    for number in range(8):
        await world.put(number, f"text {number}")
    world.external.refused = {"mem_00000001", "mem_00000002"}
    began_us = world.now_us
    await tell_until_told(world, telling)
    assert world.now_us - began_us >= 2 * REFUSED_S * 1e6
    assert set(world.external.kept) == {f"mem_{it:08}" for it in (0, 3, 4, 5, 6, 7)}
    assert (telling.passed_over, await world.waiting()) == (2, Waiting())
    world.external.refused.clear()
    await telling.begin_anew()
    await tell_until_told(world, telling)
    assert len(world.external.kept) == 8


async def test_where_it_takes_nothing_at_all_the_rest_waits(world: World) -> None:
    telling = world.server()
    for number in range(MOST_PASSED + 5):
        await world.put(number, f"text {number}")
    world.external.refused = {f"mem_{it:08}" for it in range(MOST_PASSED + 5)}
    await tell_until_told(world, telling)
    assert (telling.passed_over, await world.waiting()) == (MOST_PASSED, Waiting(changes=5))
    world.external.refused.clear()
    await tell_until_told(world, telling)
    assert len(world.external.kept) == 5


async def test_what_has_expired_or_is_superseded_is_to_go(world: World) -> None:
    """What is not recalled here has no use there."""
    one = await world.put(1, "Ann lives in Lyon")
    await world.store.put(replace(one, memory_id="mem_00000002", text="x", expire_us=3), None)
    await world.store.put(
        replace(one, memory_id="mem_00000003", text="y", supersedes="mem_00000001"), None
    )
    await all_told(world.server())
    assert world.external.kept == {"mem_00000003": "y"}


async def test_another_store_is_told_everything(world: World) -> None:
    telling = world.server()
    await world.put(1, "one")
    await world.put(2, "two")
    await world.forget(2)
    await all_told(telling)
    world.external.kept.clear()
    world.external.described = Described("store-2", max_changes=2)
    await all_told(world.server())
    assert world.external.kept == {"mem_00000001": "one"}
    assert await world.progress.store_id("archive") == "store-2"


async def test_what_it_has_not_forgotten_it_is_told_again(world: World) -> None:
    """It is asked later and later, and until then operators see how many there are."""
    telling = world.server()
    await world.put(1, "secret")
    await all_told(telling)
    world.external.keeps_all = True
    await world.forget(1)
    await all_told(telling)
    for _ in range(3):
        await all_told(telling)
    assert await world.waiting() == Waiting(unconfirmed=1, oldest_us=1_000_000)
    assert [it.memory for it in world.external.told[1:]] == [None, None]  # not each time
    world.now_us += 2_000_000
    await all_told(telling)
    assert len(world.external.told) == 4
    world.external.keeps_all = False
    world.now_us += 10_000_000
    await all_told(telling)
    world.now_us += 100_000_000
    await all_told(telling)
    assert await world.waiting() == Waiting()
    assert world.external.kept == {}


async def test_it_is_asked_in_parts_and_keeps_what_each_came_to(world: World) -> None:
    """Of no more at once than it takes; what it is too slow for is asked again."""
    telling = Telling(
        "archive", world.external, world.progress, "one", now_us=lambda: world.now_us, call_s=0.5
    )
    await forgotten(world, telling, 7)

    async def slow_once_asked() -> None:
        if len(world.external.asked) == 2:
            await asyncio.sleep(9)

    world.external.when_asked = slow_once_asked
    with pytest.raises(DomainError):
        await all_told(telling)
    assert (world.external.asked, (await world.waiting()).unconfirmed) == ([3, 3], 4)
    await all_told(telling)
    assert (world.external.asked, await world.waiting()) == ([3, 3, 3, 1], Waiting())


@OF_MORE_SERVERS
async def test_who_tells_it_no_more_asks_no_more(world: World) -> None:
    """It may be another server's before all is asked."""
    telling = world.server()
    await forgotten(world, telling, 7)

    async def taken() -> None:
        world.now_us += 61_000_000
        until_us = world.now_us + 60_000_000
        assert await world.progress.claim("archive", "two", world.now_us, until_us)

    world.external.when_asked = taken
    await all_told(telling)
    assert world.external.asked == [3]


async def forgotten(world: World, telling: Telling, count: int) -> None:
    """Have so many forgotten that it keeps for now, and is to be asked about at once then."""
    for number in range(count):
        await world.put(number, f"text {number}")
    await all_told(telling)
    world.external.keeps_all = True
    for number in range(count):
        await world.forget(number)
    await all_told(telling)
    world.external.kept.clear()
    world.external.asked.clear()
    world.now_us += 2_000_000


async def test_what_is_begun_anew_is_told_from_the_start(world: World) -> None:
    """By whichever server, also if it had just been told something."""
    telling = world.server()
    await world.put(1, "one")
    await all_told(telling)
    world.external.kept.clear()
    await world.progress.begin_anew("archive", "store-1")
    await world.put(2, "two")
    await all_told(telling)
    assert world.external.kept == {"mem_00000001": "one", "mem_00000002": "two"}


@OF_MORE_SERVERS
async def test_one_server_tells_it(world: World) -> None:
    """Another one goes on when the first is silent."""
    one, two = world.server("one"), world.server("two")
    await world.put(1, "one")
    await all_told(one)
    await world.put(2, "two")
    assert not await two.tell()
    assert world.external.kept == {"mem_00000001": "one"}
    world.now_us += 61_000_000
    await all_told(two)
    assert len(world.external.kept) == 2


@pytest.fixture
async def running(world: World) -> AsyncIterator[Telling]:
    """A server that tells it by itself."""
    telling = world.server()
    task = asyncio.create_task(telling.run())
    yield telling
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_it_is_told_soon_and_again_when_it_is_back(world: World, running: Telling) -> None:
    await world.put(1, "one")
    await until(lambda: len(world.external.kept) == 1)
    world.external.away = True
    await world.put(2, "two")
    await until(lambda: running.error is Reason.CONNECTION_UNAVAILABLE)
    world.external.away = False
    await until(lambda: running.error is None)
    assert len(world.external.kept) == 2
