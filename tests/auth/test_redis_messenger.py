"""That sessions ended is told to the other processes, by as few words as will do."""

import asyncio

from antiphon_server.auth.adapters.redis_messenger import CHANNEL, RedisMessenger
from antiphon_server.runtime.storage.redis import Redis
from tests.e2e.until import SOON_S
from tests.fakes.valkey import Valkey

MANY = 200


async def test_many_ends_at_once_are_a_word_or_two() -> None:
    """The last of them is told, too, and Redis does not count as away."""
    async with Valkey() as valkey:
        redis = Redis(valkey.url, deadline_s=10.0)
        messenger = RedisMessenger(redis)
        async with redis.subscription(CHANNEL) as heard, asyncio.timeout(SOON_S):
            assert await heard.next(timeout=None) is None  # that it is subscribed
            for _ in range(MANY):
                messenger.publish()
            assert await heard.next(timeout=None) is not None
            await asyncio.sleep(0)
            for _ in range(MANY):
                messenger.publish()
            assert await heard.next(timeout=None) is not None
            assert await heard.next(timeout=0.2) is None
        assert redis.down_since is None
        await messenger.close()
        await redis.close()
