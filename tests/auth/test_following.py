"""How a server learns what others on the same store have ended."""

import asyncio
import time

from antiphon_server.auth.adapters.memory_messenger import MemoryMessenger
from antiphon_server.auth.adapters.redis_messenger import RedisMessenger
from antiphon_server.auth.model import SECOND
from antiphon_server.auth.ports.endings import EndingStore
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.service.following import Following
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.storage.redis import Redis
from tests.auth.histories import FailingOver
from tests.auth.test_signing_keys import keys_of
from tests.auth.world import World
from tests.e2e.until import SOON_S, until
from tests.fakes.valkey import Valkey

LOOKED_FOR_S = 1.6
LIFE = TokenSettings().longest_life


async def test_a_server_that_would_be_told_looks_seldom(world: World) -> None:
    """Often enough for a second all the same: at rest that is most of what a store is asked."""
    endings, tasks = FailingOver(world.database), TaskSet()
    async with Valkey() as valkey:
        redis = Redis(valkey.url, deadline_s=10.0)
        messenger = RedisMessenger(redis)
        following = following_of(world, endings, messenger=messenger)
        tasks.spawn("following", following.run())
        async with asyncio.timeout(SOON_S):
            while not messenger.connected:  # noqa: ASYNC110  # an answer of Redis's changes it
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
    following = following_of(world, world.stores.endings, keys=there)
    await following.begin()
    kid = await world.tokens.signing_keys.rotate()
    await following.look()
    assert kid in {key.kid for key in there.valid()}


async def test_ends_after_a_failover_that_lost_some_are_learned(world: World) -> None:
    """Their places were taken before by ends that the store in its place has not got."""
    endings, told = FailingOver(world.database), list[SessionId]()
    world.tokens.liveness.on_end(told.append)
    following = following_of(world, endings)
    await endings.end("sess_1", "sess_2", "sess_3", time=now(world))
    await following.begin()
    await endings.lose(2)
    await endings.end("sess_4", time=now(world))
    await following.look()
    await endings.end("sess_5", "sess_6", time=now(world))
    await following.look()
    assert {"sess_4", "sess_5", "sess_6"} <= set(told)


async def test_ends_of_another_history_that_grew_unseen_are_learned(world: World) -> None:
    """While the store was away it fell back, and then came as far as it was."""
    endings, tasks, told = FailingOver(world.database), TaskSet(), list[SessionId]()
    world.tokens.liveness.on_end(told.append)
    following = following_of(world, endings)
    await endings.end("sess_1", time=now(world))
    await following.begin()
    tasks.spawn("following", following.run())
    endings.away, before = True, endings.asked
    await until(lambda: endings.asked > before)
    await endings.lose(1)
    await endings.end("sess_2", time=now(world))
    endings.away = False
    await until(lambda: told == ["sess_2"], timeout_s=10)
    await tasks.stop()


def following_of(
    world: World,
    endings: EndingStore,
    keys: SigningKeys | None = None,
    messenger: RevocationMessenger | None = None,
) -> Following:
    """One that nobody tells anything, unless there is a messenger."""
    keys, messenger = keys or world.tokens.signing_keys, messenger or MemoryMessenger()
    return Following(endings, keys, world.tokens.liveness, messenger, world.clock, LIFE)


def now(world: World) -> int:
    """The time as endings have it."""
    return int(world.clock.time * SECOND)
