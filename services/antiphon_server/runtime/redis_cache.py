"""A cache that several processes share, in Redis (or Valkey).

What it holds is of an epoch, whose name is in Redis as well. Whoever could not use Redis for a
moment may have failed to invalidate something, or finds there what was restored: it begins a
new epoch before it uses Redis again. What was kept before is not read any more.
"""

import asyncio
import secrets
from typing import Any

from antiphon_server.runtime.cache import Lookup, MemoryCache
from antiphon_server.runtime.redis import Redis, RedisUnavailable

PREFIX = "{antiphon:cache}:"  # one slot of a cluster, as one script may touch no more
EPOCH_KEY = f"{PREFIX}epoch"
LEASE_MS = 10_000
ALONE_S = 1.0
"""How long something is remembered while Redis is away: nobody hears what others invalidate."""
AGAIN_S = 0.25
_GET = """
local epoch = redis.call('GET', KEYS[2])
if not epoch then
  epoch = ARGV[1]
  redis.call('SET', KEYS[2], epoch)
end
local found = redis.call('GET', KEYS[1])
if found and string.sub(found, 1, #epoch + 1) == 'V' .. epoch then
  return {1, string.sub(found, #epoch + 2)}
end
local lease = epoch .. ARGV[1]
redis.call('SET', KEYS[1], 'L' .. lease, 'PX', ARGV[2])
return {0, lease}
"""
"""KEYS: the entry, the epoch. ARGV: a random name, the lease's time. Answers 1 and the value, or
0 and a lease, which begins with the epoch's name."""
_SET = """
local epoch = redis.call('GET', KEYS[2])
if epoch and string.sub(ARGV[1], 1, #epoch) == epoch
    and redis.call('GET', KEYS[1]) == 'L' .. ARGV[1] then
  redis.call('SET', KEYS[1], 'V' .. epoch .. ARGV[2], 'PX', ARGV[3])
end
"""
"""KEYS: the entry, the epoch. ARGV: the lease, the value, its time."""


class RedisCache:
    """A :class:`Cache` in Redis; while that is away each process remembers a little by itself.

    ``run`` has to run beside it, so that others hear of a new epoch soon.
    """

    def __init__(self, redis: Redis, memory: MemoryCache | None = None) -> None:
        self._redis = redis
        self._memory = memory or MemoryCache()
        self.away = False
        """Whether Redis could not be used, and what is there is not to be trusted yet."""

    async def get(self, key: str) -> Lookup:
        """See :meth:`Cache.get`."""
        try:
            found: Lookup = await self._use(lambda client: _lookup(client, key))
        except RedisUnavailable:
            return await self._memory.get(key)
        return found

    async def set(self, key: str, value: bytes, seconds: float, lease: str) -> None:
        """See :meth:`Cache.set`."""
        lasts_ms = max(1, int(seconds * 1000))
        await self._memory.set(key, value, min(seconds, ALONE_S), lease)  # if it is one of its own
        try:
            await self._use(lambda client: _run(client, _SET, key, lease, value, lasts_ms))
        except RedisUnavailable:
            return

    async def expire(self, key: str, seconds: float) -> None:
        """See :meth:`Cache.expire`."""
        await self._memory.expire(key, min(seconds, ALONE_S))
        try:
            await self._use(lambda client: client.pexpire(PREFIX + key, int(seconds * 1000)))
        except RedisUnavailable:
            return

    async def invalidate(self, key: str) -> None:
        """See :meth:`Cache.invalidate`."""
        await self._memory.invalidate(key)
        try:
            await self._use(lambda client: client.delete(PREFIX + key))
        except BaseException as error:  # also a caller who went away half-way
            self.away = True
            if not isinstance(error, RedisUnavailable):
                raise

    async def run(self) -> None:
        """Begin a new epoch as soon as Redis is back, until cancelled."""
        while True:
            await asyncio.sleep(AGAIN_S)
            if self.away:
                try:
                    await self._return()
                except RedisUnavailable:
                    continue

    async def _use(self, work: Any) -> Any:
        if self.away:
            await self._return()
        try:
            return await self._redis.run(work)
        except RedisUnavailable:
            self.away |= self._redis.down_since is not None  # not if others were too many
            raise

    async def _return(self) -> None:
        """Make all that is there void. Raises RedisUnavailable."""
        await self._redis.run(lambda client: client.set(EPOCH_KEY, _name()))
        self.away = False
        self._memory.clear()


async def _lookup(client: Any, key: str) -> Lookup:
    found, answer = await _run(client, _GET, key, _name(), LEASE_MS)
    whole = memoryview(answer).tobytes()
    return Lookup(whole) if found else Lookup(None, whole.decode())


async def _run(client: Any, script: str, key: str, *arguments: object) -> Any:
    return await client.eval(script, 2, PREFIX + key, EPOCH_KEY, *arguments)


def _name() -> str:
    return secrets.token_hex(8)
