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
        self._received = asyncio.Event()
        self._tasks = TaskSet()
        self._owed = False
        self.connected = False
        self._publishing: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    def publish(self) -> None:
        self._owed = True  # one message more says the same as many
        if self._publishing is None or self._publishing.done():
            self._publishing = self._tasks.spawn("auth-publish", self._publish_owed())

    async def wait(self, timeout: float) -> None:
        if self._listening is None:
            self._listening = self._tasks.spawn("auth-listen", self._listen())
        try:
            async with asyncio.timeout(timeout):
                await self._received.wait()
        except TimeoutError:
            return
        finally:
            self._received.clear()

    async def close(self) -> None:
        await self._tasks.stop()

    async def _publish_owed(self) -> None:
        while self._owed:
            self._owed = False
            await self._publish_once()

    async def _publish_once(self) -> None:
        try:
            await self._redis.publish(CHANNEL, b"")
        except RedisUnavailable:
            log.debug("an end could not be published; others will look")

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.subscription(CHANNEL) as messages:
                    self.connected = True
                    await self._receive(messages)
            except RedisUnavailable:
                self.connected = False
                await asyncio.sleep(AGAIN_S)

    async def _receive(self, messages: Subscription) -> None:
        while True:
            if await messages.next(timeout=None) is not None:
                self._received.set()
