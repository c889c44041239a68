"""Caches keep the same promises, in memory and in Redis, and whatever becomes of Redis."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from antiphon_server.runtime.cache import Cache, MemoryCache
from antiphon_server.runtime.redis import Redis, RedisUnavailable
from antiphon_server.runtime.redis_cache import ALONE_S, RedisCache
from tests.fakes.valkey import Valkey

RESYNC_S = 2.0


@pytest.fixture
async def valkey() -> AsyncIterator[Valkey]:
    async with Valkey() as server:
        yield server


class Shared:
    """A process's cache in Redis."""

    def __init__(self, valkey: Valkey) -> None:
        self.redis = Redis(valkey.url)
        self.cache = RedisCache(self.redis)
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
    await cache.set(key, value, seconds, (await cache.get(key)).lease)


async def known(cache: Cache, key: str) -> bytes | None:
    """What is known of a key."""
    return (await cache.get(key)).value


async def trusted(processes: list[Shared]) -> None:
    """Return when all of them use Redis again."""
    async with asyncio.timeout(10):
        while any(one.cache.away for one in processes):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


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


async def test_time_makes_it_forgotten(cache: Cache) -> None:
    """As told when it was set, and later."""
    await keep(cache, "soon", b"1", 0.05)
    await keep(cache, "later", b"2")
    await keep(cache, "sooner", b"3")
    await cache.expire("sooner", 0.05)
    await cache.expire("unknown", 0.05)
    await asyncio.sleep(0.1)
    assert [await known(cache, key) for key in ("soon", "later", "sooner")] == [None, b"2", None]


async def test_what_was_read_before_a_change_is_not_kept_behind_it(cache: Cache) -> None:
    """A lease is void when its key was invalidated, and with any other's."""
    lease = (await cache.get("a")).lease
    await cache.invalidate("a")
    await cache.set("a", b"old", 60.0, lease)
    assert await known(cache, "a") is None
    await cache.set("b", b"made up", 60.0, "lease")
    assert await known(cache, "b") is None


async def test_memory_is_bounded() -> None:
    """By entries and bytes; what was asked for last stays."""
    cache = MemoryCache(max_entries=3, max_bytes=10_000)
    for key in "abc":
        await keep(cache, key, b"x")
    await known(cache, "a")
    await keep(cache, "d", b"x")
    assert [await known(cache, key) for key in "abcd"] == [b"x", None, b"x", b"x"]
    await keep(cache, "large", bytes(9_900))
    assert cache.size <= 10_000
    await keep(cache, "too large", bytes(10_001))
    assert await known(cache, "too large") is None
    assert cache.size <= 10_000


async def test_processes_share_what_they_know(pair: list[Shared]) -> None:
    """And what is not true any more."""
    here, there = (one.cache for one in pair)
    await keep(here, "a", b"1")
    assert await known(there, "a") == b"1"
    await there.invalidate("a")
    assert await known(here, "a") is None


async def test_a_missed_invalidation_is_made_up_for(pair: list[Shared], valkey: Valkey) -> None:
    """What was kept before an outage is not served behind it, by any process, after 2 s."""
    here, there = (one.cache for one in pair)
    await keep(here, "a", b"old")
    held = (await there.get("b")).lease
    valkey.freeze()
    await here.invalidate("a")
    await here.invalidate("b")
    valkey.thaw()
    back = time.monotonic()
    await there.set("b", b"old", 60.0, held)  # it has noticed nothing
    await trusted(pair)
    assert time.monotonic() - back < RESYNC_S
    assert [await known(there, key) for key in "ab"] == [None, None]
    await there.set("b", b"old", 60.0, held)
    assert await known(there, "b") is None
    await keep(there, "a", b"new")
    assert await known(here, "a") == b"new"


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
    await valkey.kill()
    await keep(one.cache, "a", b"1", 60.0)
    assert await known(one.cache, "a") == b"1"
    await asyncio.sleep(ALONE_S + 0.05)
    assert await known(one.cache, "a") is None
    with pytest.raises(RedisUnavailable):
        await one.redis.run(lambda client: client.ping())
    await one.close()
