"""Whatever answers where Redis should be, what needs it goes on without, and finds it again."""

import asyncio
import logging

import pytest

from antiphon_server.auth.adapters.redis_messenger import RedisMessenger
from antiphon_server.events.adapters.redis_bus import RedisBus
from antiphon_server.runtime.cache.redis_cache import RedisCache
from antiphon_server.runtime.limits.rate_counters import MemoryCounters
from antiphon_server.runtime.limits.shared_rate_counters import SharedCounters
from antiphon_server.runtime.storage.redis import PROBE_EVERY_S, Redis
from tests.e2e.until import SOON_S, until
from tests.events.test_redis_bus import Ears
from tests.fakes.strange_redis import ANSWERS, strange_redis
from tests.fakes.valkey import Valkey


@pytest.mark.parametrize("kind", ANSWERS)
async def test_nothing_ends_and_all_of_it_comes_back(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Rate limits, the bus, the cache and who tells of ended sessions; no log is flooded."""
    valkey = Valkey()
    redis = Redis(valkey.url)
    counters, bus = SharedCounters(MemoryCounters(), redis), RedisBus(redis, b"key")
    cache, messenger = RedisCache(redis, b"key"), RedisMessenger(redis)
    running = [
        asyncio.create_task(each)
        for each in (counters.run(), bus.run("store", Ears()), cache.run())
    ]
    with caplog.at_level(logging.WARNING):
        async with strange_redis(kind, valkey.port):
            for _ in range(5):
                messenger.publish()
                await messenger.wait(timeout=PROBE_EVERY_S / 2)
                await cache.get(["key"])
            assert not [each.exception() for each in running if each.done()]
            assert redis.down_since is not None
    assert len(caplog.text.splitlines()) < 10
    async with valkey, asyncio.timeout(SOON_S):
        await until(lambda: bus.connected and redis.down_since is None)
        heard = asyncio.create_task(messenger.wait(timeout=SOON_S))
        while not heard.done():
            messenger.publish()
            await asyncio.sleep(0.05)
        await messenger.close()
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await redis.close()
