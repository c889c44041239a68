"""Messages between processes over Redis (or Valkey): publish and subscribe."""

import asyncio
import logging

from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.storage.redis import Redis, RedisUnavailable, Subscription

CHANNEL = "antiphon:auth:endings"
AGAIN_S = 0.5
log = logging.getLogger(__name__)


class RedisMessenger:
    """A :class:`~antiphon_server.auth.ports.messenger.RevocationMessenger` over Redis.

    While Redis is away nobody is told, and nobody waits for it.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._heard = asyncio.Event()
        self._tasks = TaskSet()
        self._owed = False
        self.hears = False
        self._telling: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    def publish(self) -> None:
        self._owed = True  # one message more says the same as many
        if self._telling is None or self._telling.done():
            self._telling = self._tasks.spawn("auth-tell", self._tell())

    async def wait(self, timeout: float) -> None:
        if self._listening is None:
            self._listening = self._tasks.spawn("auth-listen", self._listen())
        try:
            async with asyncio.timeout(timeout):
                await self._heard.wait()
        except TimeoutError:
            return
        finally:
            self._heard.clear()

    async def close(self) -> None:
        await self._tasks.stop()

    async def _tell(self) -> None:
        while self._owed:
            self._owed = False
            await self._publish()

    async def _publish(self) -> None:
        try:
            await self._redis.publish(CHANNEL, b"")
        except RedisUnavailable:
            log.debug("nobody could be told of an end; they will look")

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.subscription(CHANNEL) as messages:
                    self.hears = True
                    await self._hear(messages)
            except RedisUnavailable:
                self.hears = False
                await asyncio.sleep(AGAIN_S)

    async def _hear(self, messages: Subscription) -> None:
        while True:
            if await messages.next(timeout=None) is not None:
                self._heard.set()
