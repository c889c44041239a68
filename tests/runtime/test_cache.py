"""Caches keep the same promises, in memory and in Redis, and whatever becomes of Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest

from antiphon_server.runtime.cache.cache import ALONE_S, MAX_VALUE_BYTES, Cache, MemoryCache
from antiphon_server.runtime.cache.redis_cache import MOST_OWED, PREFIX, RedisCache
from antiphon_server.runtime.storage.redis import Redis, RedisUnavailable
from tests.e2e.until import SOON_S, until
from tests.fakes.valkey import Valkey

T = TypeVar("T")
RESYNC_S = 2.0
KEY = b"of the installation"


class Shared:
    """A process's cache in Redis."""

    def __init__(self, valkey: Valkey, key: bytes = KEY, kind: type[Redis] = Redis) -> None:
        self.redis = kind(valkey.url)
        self.cache = RedisCache(self.redis, key)
        self._running = asyncio.create_task(self.cache.run())

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])
        await self.redis.close()


@pytest.fixture(params=["memory", "redis", "redis away"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    """Each of them, and the fallback."""
    if request.param == "memory":
        yield MemoryCache()
        return
    async with Valkey() as valkey:
        if request.param == "redis away":
            await valkey.kill()
        shared = Shared(valkey)
        yield shared.cache
        await shared.close()


@pytest.fixture
async def pair(valkey: Valkey) -> AsyncIterator[list[Shared]]:
    """Two processes on one Redis."""
    pair = [Shared(valkey), Shared(valkey)]
    yield pair
    for one in pair:
        await one.close()


async def keep(cache: Cache, key: str, value: bytes, seconds: float = 60.0) -> None:
    """Look it up and set it."""
    await cache.set({key: value}, seconds, (await cache.get([key])).lease)


async def known(cache: Cache, key: str) -> bytes | None:
    """What is known of a key."""
    return (await cache.get([key])).values.get(key)


async def trusted(processes: list[Shared]) -> None:
    """Return when all of them use Redis again, and owe nothing."""
    async with asyncio.timeout(SOON_S):
        while any(one.cache.longest_s == ALONE_S for one in processes):
            await asyncio.gather(*(one.cache.get(["asked for"]) for one in processes))
            await asyncio.sleep(0.01)


async def settled(one: Shared) -> None:
    """Return when it owes nothing: it asks for nothing."""
    await until(lambda: one.cache.longest_s != ALONE_S, SOON_S)


async def test_what_was_set_is_known(cache: Cache) -> None:
    """Byte by byte, until it is invalidated; nothing else is."""
    await keep(cache, "a", b"V\x00\xff one")
    await keep(cache, "b", b"")
    assert await known(cache, "a") == b"V\x00\xff one"
    assert await known(cache, "b") == b""
    assert await known(cache, "c") is None
    await cache.invalidate("a")
    assert await known(cache, "a") is None
    assert await known(cache, "b") == b""


async def test_several_are_looked_up_at_once(cache: Cache) -> None:
    """What is known of them comes, and the others are set by the one lease that comes along."""
    await keep(cache, "a", b"1")
    found = await cache.get(["b", "a", "c"])
    assert found.values == {"a": b"1"}
    await cache.set({"a": b"not asked for", "b": b"2", "c": b"3"}, 60.0, found.lease)
    assert (await cache.get(["a", "b", "c"])).values == {"a": b"1", "b": b"2", "c": b"3"}
    assert (await cache.get([])).values == {}


async def test_time_makes_it_forgotten(cache: Cache) -> None:
    """As told when it was set."""
    await keep(cache, "soon", b"1", 0.05)
    await keep(cache, "later", b"2")
    await asyncio.sleep(0.1)
    assert (await cache.get(["soon", "later"])).values == {"later": b"2"}


async def test_what_was_read_before_a_change_is_not_kept_behind_it(cache: Cache) -> None:
    """A lease is void for what was invalidated, and with any other's."""
    lease = (await cache.get(["a", "b"])).lease
    await cache.invalidate("a")
    await cache.set({"a": b"old", "b": b"true"}, 60.0, lease)
    await cache.set({"c": b"made up"}, 60.0, "lease")
    assert (await cache.get(["a", "b", "c"])).values == {"b": b"true"}


async def test_large_values_are_not_kept(cache: Cache) -> None:
    """One as large as may be is."""
    await keep(cache, "a", bytes(MAX_VALUE_BYTES))
    await keep(cache, "b", bytes(MAX_VALUE_BYTES + 1))
    assert (await cache.get(["a", "b"])).values == {"a": bytes(MAX_VALUE_BYTES)}


async def test_memory_is_bounded() -> None:
    """By entries and bytes; what was asked for last stays."""
    cache = MemoryCache(max_entries=3, max_bytes=10_000)
    for key in "abc":
        await keep(cache, key, b"x")
    await known(cache, "a")
    await keep(cache, "d", b"x")
    assert [await known(cache, key) for key in "abcd"] == [b"x", None, b"x", b"x"]
    for key in "efg":
        await keep(cache, key, bytes(4_000))
    assert [await known(cache, key) is not None for key in "efg"] == [False, True, True]
    assert cache.size <= 10_000


async def test_processes_share_what_they_know(pair: list[Shared]) -> None:
    """And what is not true any more."""
    here, there = (one.cache for one in pair)
    await keep(here, "a", b"1")
    assert await known(there, "a") == b"1"
    await there.invalidate("a")
    assert await known(here, "a") is None


async def test_a_missed_invalidation_is_made_up_for(pair: list[Shared], valkey: Valkey) -> None:
    """By itself, within 2 s of Redis' return; what else was kept before the outage stays."""
    here, there = (one.cache for one in pair)
    await keep(here, "a", b"old")
    await keep(here, "c", b"true")
    held = (await there.get(["b"])).lease
    valkey.freeze()
    await here.invalidate("a")
    await here.invalidate("b")
    valkey.thaw()
    back = time.monotonic()
    await settled(pair[0])
    assert time.monotonic() - back < RESYNC_S
    await there.set({"b": b"old"}, 60.0, held)
    assert (await there.get("abc")).values == {"c": b"true"}
    await keep(there, "a", b"new")
    assert await known(here, "a") == b"new"


async def test_who_missed_an_invalidation_never_shows_the_old(valkey: Valkey) -> None:
    """It invalidates before it looks; also if it had gone away half-way, or Redis was too busy."""
    one = Shared(valkey, kind=Held)
    assert isinstance(one.redis, Held)
    for miss in (half_way, while_busy):
        await keep(one.cache, "a", b"old")
        await miss(one)
        assert await known(one.cache, "a") is None
    await one.close()


async def test_what_is_owed_is_bounded() -> None:
    """What is too much is forgotten, the oldest first: it ends by its time."""
    redis = Redis("redis://127.0.0.1:1/0")
    cache = RedisCache(redis, KEY)
    for number in range(MOST_OWED + 2):
        await cache.invalidate(str(number))
    owed = list(cache._owed)
    assert (len(owed), owed[0]) == (MOST_OWED, "2")
    await redis.close()


async def test_a_redis_that_comes_back_empty_is_used_again(
    pair: list[Shared], valkey: Valkey
) -> None:
    """Within 2 s; what was remembered without it is not."""
    here, there = (one.cache for one in pair)
    await keep(here, "a", b"1")
    await valkey.kill()
    assert await known(here, "a") is None
    await keep(here, "a", b"alone")
    assert await known(here, "a") == b"alone"
    await valkey.start()
    back = time.monotonic()
    await trusted(pair)
    assert time.monotonic() - back < RESYNC_S
    assert await known(here, "a") is None
    await keep(here, "a", b"2")
    assert await known(there, "a") == b"2"


async def test_alone_little_is_remembered(valkey: Valkey) -> None:
    """Others may change it, and can't say so."""
    one = Shared(valkey)
    assert one.cache.longest_s == float("inf")
    await valkey.kill()
    await keep(one.cache, "a", b"1", 60.0)
    assert one.cache.longest_s == ALONE_S
    assert await known(one.cache, "a") == b"1"
    await asyncio.sleep(ALONE_S + 0.05)
    assert await known(one.cache, "a") is None
    with pytest.raises(RedisUnavailable):
        await one.redis.run(lambda client: client.ping())
    await one.close()


class Held(Redis):
    """One whose answers wait for a gate, as on a slow network, and that may be too busy to ask."""

    gate: asyncio.Event | None = None
    busy = False

    async def run(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """See :meth:`Redis.run`."""
        if self.busy:
            raise RedisUnavailable
        done = await super().run(work)
        if self.gate is not None:
            await self.gate.wait()
        return done


async def half_way(one: Shared) -> None:
    """Begin to invalidate it, and go away."""
    task = asyncio.create_task(one.cache.invalidate("a"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


async def while_busy(one: Shared) -> None:
    """Invalidate it when others ask Redis too much."""
    assert isinstance(one.redis, Held)
    one.redis.busy = True
    await one.cache.invalidate("a")
    one.redis.busy = False


async def test_what_is_missed_again_meanwhile_is_made_up_for(valkey: Valkey) -> None:
    """The one before had reached Redis already, and was not answered yet."""
    here, there = Shared(valkey, kind=Held), Shared(valkey)
    assert isinstance(here.redis, Held)
    await keep(there.cache, "a", b"older")
    here.redis.gate = asyncio.Event()
    first = asyncio.create_task(here.cache.invalidate("a"))
    async with asyncio.timeout(SOON_S):
        while await known(there.cache, "a"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await keep(there.cache, "a", b"old")
    here.redis.busy = True
    await here.cache.invalidate("a")
    here.redis.gate.set()
    await first
    here.redis.busy = False
    await settled(here)
    assert await known(there.cache, "a") is None
    for one in (here, there):
        await one.close()


async def test_only_those_with_the_key_are_believed(pair: list[Shared], valkey: Valkey) -> None:
    """Another's values, a value under another key and what has ended are as good as none."""
    here, there = pair
    stranger = Shared(valkey, b"of somebody else")
    await keep(stranger.cache, "a", b"forged")
    await keep(here.cache, "b", b"of b")

    async def move(client: Any) -> None:
        await client.copy(PREFIX + "b", PREFIX + "c")

    await here.redis.run(move)
    assert (await there.cache.get("abc")).values == {"b": b"of b"}
    await keep(here.cache, "d", b"over", 1.5)
    await here.redis.run(lambda client: client.persist(PREFIX + "d"))
    assert await known(there.cache, "d") == b"over"
    await asyncio.sleep(1.55)
    assert await known(there.cache, "d") is None
    await stranger.close()


async def test_whatever_lies_there_is_replaced(pair: list[Shared]) -> None:
    """Lists, short, huge and forged values: none is read, none makes Redis seem away."""
    here, there = pair

    async def litter(client: Any) -> None:
        await client.rpush(PREFIX + "a", "x")
        await client.set(PREFIX + "b", b"V")
        await client.set(PREFIX + "c", b"V" + bytes(1 << 20))
        await client.set(PREFIX + "d", b"")
        await client.set(PREFIX + "e", b"V" + bytes(100))

    await here.redis.run(litter)
    assert (await here.cache.get("abcde")).values == {}
    for key in "abcde":
        await keep(here.cache, key, key.encode())
    assert (await there.cache.get("abcde")).values == {key: key.encode() for key in "abcde"}
    assert not any(one.cache.longest_s == ALONE_S for one in pair)
