"""The connection to Redis (or Valkey) that all who need it share, and that nobody waits for.

Redis is a helper here, never the truth: whoever asks goes on without it when it is away.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.storage.availability import Availability

T = TypeVar("T")
DEADLINE_S = 0.25
PROBE_EVERY_S = 0.5
MOST_AT_ONCE = 8
MOST_CONNECTIONS = MOST_AT_ONCE + 4  # those who subscribe keep one each


class RedisUnavailable(Exception):
    """Redis can't be asked now. Whether it has done what it was asked last is not known."""


class Redis:
    """A pool of connections behind a circuit breaker.

    The first failure opens the circuit. Calls then fail at once, except for one every
    ``PROBE_EVERY_S`` seconds, which closes the circuit if it succeeds. Nothing is retried here:
    the caller who receives the failure decides.
    """

    def __init__(self, url: str, deadline_s: float = DEADLINE_S) -> None:
        """Raises WrongSetting for what is no URL of Redis, or without the package for it."""
        try:
            self._client = _client(url, deadline_s)
        except ValueError as error:
            raise WrongSetting(f"redis_url: {error}") from error
        except ImportError as error:
            raise WrongSetting("redis_url: needs `pip install antiphon[redis]`") from error
        self._deadline_s = deadline_s
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._probe_at = 0.0
        self.availability = Availability("Redis", "antiphon_redis_fallback")

    @property
    def down_since(self) -> float | None:
        """Since when it is unavailable, in Unix seconds; None while it answers."""
        return self.availability.down_since

    async def run(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Call ``work`` with the client, a ``redis.asyncio.Redis``, and return its result.

        The deadline includes the wait for a free connection; that wait alone opens no circuit.
        ``work`` also parses the answer: an answer that it cannot parse counts as a failure. Raises
        RedisUnavailable.
        """
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._turns.acquire()
        except TimeoutError as error:
            raise RedisUnavailable from error
        try:
            self._admit()
            return await self._asked(work)
        finally:
            self._turns.release()

    async def _asked(self, work: Callable[[Any], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._deadline_s):
                done = await work(self._client)
                heed_cancellation()
        except Exception as error:  # whatever a strange answer makes of a parser, too
            self._failed(error)
            heed_cancellation()
            raise RedisUnavailable from error
        self._answered()
        return done

    async def publish(self, channel: str, data: bytes) -> None:
        """Send a message to the channel's current subscribers. Raises RedisUnavailable."""

        async def tell(client: Any) -> None:
            int(await client.publish(channel, data))  # how many have heard it

        await self.run(tell)

    @asynccontextmanager
    async def subscription(self, channel: str) -> AsyncIterator["Subscription"]:
        """Subscribe to a channel, on a connection of its own.

        Raises RedisUnavailable if there is no subscription within the deadline.
        """
        messages = self._client.pubsub()
        try:
            with _asking():
                async with asyncio.timeout(self._deadline_s):
                    await messages.subscribe(channel)
            yield Subscription(messages)
        finally:
            with _asking():
                await messages.aclose()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        return self.availability.collect()

    def _admit(self) -> None:
        if self.down_since is None:
            return
        now = time.monotonic()
        if now < self._probe_at:
            raise RedisUnavailable
        self._probe_at = now + PROBE_EVERY_S

    def _failed(self, error: Exception) -> None:
        self._probe_at = time.monotonic() + PROBE_EVERY_S
        self.availability.report(up=False, why=type(error).__name__)

    def _answered(self) -> None:
        self.availability.report(up=True)


class Subscription:
    """What is said on a channel."""

    def __init__(self, messages: Any) -> None:
        self._messages = messages  # a redis.asyncio.client.PubSub

    async def next(self, timeout: float | None) -> bytes | None:
        """The next message; None if none has come in time. Raises RedisUnavailable."""
        with _asking():
            found = await self._messages.get_message(
                ignore_subscribe_messages=True, timeout=timeout
            )
            return memoryview(found["data"]).tobytes() if found else None


@contextmanager
def _asking() -> Iterator[None]:
    """Whatever goes wrong, also with a strange answer, means that Redis can't be used."""
    try:
        yield
    except Exception as error:
        raise RedisUnavailable from error
    finally:
        heed_cancellation()


def _client(url: str, deadline_s: float) -> Any:
    from redis import asyncio as redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.maint_notifications import MaintNotificationsConfig

    return redis.Redis.from_url(
        url,
        socket_connect_timeout=deadline_s,
        max_connections=MOST_CONNECTIONS,
        retry=Retry(NoBackoff(), 0),
        # With them the pool would hand out connections that still have an answer to read.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        driver_info=None,  # it would look its version up on disk, for every connection
    )


def heed_cancellation() -> None:
    """Raise CancelledError if the task was cancelled and a client's own waits have swallowed it.

    ``asyncio.wait_for`` does before Python 3.12, where what it waits for ends in that moment.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
