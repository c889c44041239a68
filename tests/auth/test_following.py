"""How a server learns what others on the same store have ended."""

import asyncio
import time

from antiphon_server.auth.adapters.memory_endings import MemoryEndings
from antiphon_server.auth.adapters.memory_messenger import MemoryMessenger
from antiphon_server.auth.adapters.redis_messenger import RedisMessenger
from antiphon_server.auth.service.following import Following
from antiphon_server.runtime.redis import Redis
from antiphon_server.runtime.tasks import TaskSet
from tests.auth.test_signing_keys import keys_of
from tests.auth.world import World
from tests.fakes.valkey import Valkey

LOOKED_FOR_S = 1.6


class Counting(MemoryEndings):
    """Endings, and how often somebody has asked for them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def last(self) -> int:
        """See :meth:`EndingStore.last`."""
        self.asked += 1
        return await super().last()


async def test_a_server_that_would_be_told_looks_seldom(world: World) -> None:
    """Often enough for a second all the same: at rest that is most of what a store is asked."""
    endings, tasks = Counting(), TaskSet()
    async with Valkey() as valkey:
        redis = Redis(valkey.url, deadline_s=10.0)
        messenger = RedisMessenger(redis)
        auth = world.auth
        following = Following(endings, auth.signing_keys, auth.liveness, messenger)
        tasks.spawn("following", following.run())
        async with asyncio.timeout(10):
            while not messenger.hears:  # noqa: ASYNC110  # an answer of Redis's changes it
                await asyncio.sleep(0.01)
        before, began = endings.asked, time.monotonic()
        await asyncio.sleep(LOOKED_FOR_S)
        # One wait may have begun before it was subscribed.
        assert 1 <= endings.asked - before <= 2 * (time.monotonic() - began)
        await tasks.stop()
        await messenger.close()
        await redis.close()


async def test_new_keys_are_looked_for_where_ends_are(world: World) -> None:
    """A rotation elsewhere is learned of by the one number that servers ask for."""
    there = keys_of(world)
    await there.reload()
    messenger = MemoryMessenger()
    following = Following(world.stores.endings, there, world.auth.liveness, messenger)
    await following.begin()
    kid = await world.auth.signing_keys.rotate()
    await following.look()
    assert kid in {key.kid for key in there.valid()}
