"""A cache that several processes share, in Redis (or Valkey).

What it holds is of an epoch, whose name is in Redis as well. Whoever could not use Redis for a
moment may have failed to invalidate something, or finds there what was restored: it begins a
new epoch before it uses Redis again. What was kept before is not read any more.

Values carry a code (see `sealed_values.py`): what others have put there is not believed.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any

from antiphon_server.runtime.cache import ALONE_S, MAX_VALUE_BYTES, Found, MemoryCache
from antiphon_server.runtime.redis import Redis, RedisUnavailable
from antiphon_server.runtime.sealed_values import MORE_BYTES, SealedValues

PREFIX = "{antiphon:cache}:"  # one slot of a cluster, as one script may touch no more
EPOCH_KEY = f"{PREFIX}epoch"
LEASE_MS = 10_000
AGAIN_S = 0.25
_NAME_BYTES = 8
_GET = """
local epoch = redis.pcall('GET', KEYS[1])
if type(epoch) ~= 'string' or #epoch ~= #ARGV[1] then
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], epoch)
end
local lease = epoch .. ARGV[1]
local answer = {lease}
for i = 2, #KEYS do
  local found = redis.pcall('GET', KEYS[i])
  if type(found) == 'string' and #found <= tonumber(ARGV[3])
      and string.sub(found, 1, #epoch + 1) == 'V' .. epoch then
    answer[i] = string.sub(found, #epoch + 2)
  else
    redis.call('SET', KEYS[i], 'L' .. lease, 'PX', ARGV[2])
    answer[i] = false
  end
end
return answer
"""
"""KEYS: the epoch, entries. ARGV: a random name, the lease's time, the longest entry. Answers a
lease, which begins with the epoch's name, and the values; whatever else is found is none."""
_SET = """
local epoch = redis.pcall('GET', KEYS[1])
if type(epoch) ~= 'string' or string.sub(ARGV[1], 1, #epoch) ~= epoch then
  return
end
for i = 2, #KEYS do
  if redis.pcall('GET', KEYS[i]) == 'L' .. ARGV[1] then
    redis.call('SET', KEYS[i], 'V' .. epoch .. ARGV[i + 1], 'PX', ARGV[2])
  end
end
"""
"""KEYS: the epoch, entries. ARGV: the lease, how long, values."""
_LONGEST = 1 + 2 * _NAME_BYTES + MORE_BYTES + MAX_VALUE_BYTES


class RedisCache:
    """A :class:`Cache` in Redis; while that is away each process remembers a little by itself.

    ``run`` has to run beside it, so that others hear of a new epoch soon. All who are to read
    each other's values have one ``key``.
    """

    def __init__(self, redis: Redis, key: bytes) -> None:
        self._redis = redis
        self._values = SealedValues(key)
        self._memory = MemoryCache(longest_s=ALONE_S)
        self._lost = asyncio.Event()
        self._losses = 0

    @property
    def away(self) -> bool:
        """Whether Redis could not be used, and what is there is not to be trusted yet."""
        return self._lost.is_set()

    @property
    def longest_s(self) -> float:
        """See :attr:`Cache.longest_s`: others may reach a Redis that is away from here."""
        return ALONE_S if self.away or self._redis.down_since is not None else float("inf")

    async def get(self, keys: Collection[str]) -> Found:
        """See :meth:`Cache.get`."""
        try:
            found: Found = await self._use(lambda client: self._look_up(client, keys))
        except RedisUnavailable:
            return await self._memory.get(keys)
        return found

    async def set(self, values: Mapping[str, bytes], seconds: float, lease: str) -> None:
        """See :meth:`Cache.set`."""
        await self._memory.set(values, seconds, lease)  # if it is one of its own
        kept = {key: it for key, it in values.items() if len(it) <= MAX_VALUE_BYTES}
        sealed = [self._values.seal(key, value, seconds) for key, value in kept.items()]
        lasts_ms = max(1, int(seconds * 1000))
        try:
            await self._use(lambda client: _run(client, _SET, kept, lease, lasts_ms, *sealed))
        except RedisUnavailable:
            return

    async def invalidate(self, key: str) -> None:
        """See :meth:`Cache.invalidate`."""
        await self._memory.invalidate(key)
        try:
            await self._use(lambda client: client.delete(PREFIX + key))
        except BaseException as error:  # also a caller who went away half-way
            self._lose()
            if not isinstance(error, RedisUnavailable):
                raise

    async def run(self) -> None:
        """Begin a new epoch as soon as Redis is back, until cancelled."""
        while True:
            await self._lost.wait()
            try:
                await self._return()
            except RedisUnavailable:
                await asyncio.sleep(AGAIN_S)

    async def _look_up(self, client: Any, keys: Collection[str]) -> Found:
        answer = await _run(client, _GET, keys, _name(), LEASE_MS, _LONGEST)
        lease, *sealed = (memoryview(it).tobytes() if it is not None else b"" for it in answer)
        found = zip(keys, sealed, strict=True)
        opened = {key: self._values.opened(key, it) for key, it in found if it}
        values = {key: value for key, value in opened.items() if value is not None}
        return Found(values, lease.decode())

    async def _use(self, work: Callable[[Any], Any]) -> Any:
        if self.away:
            await self._return()
        try:
            return await self._redis.run(work)
        except RedisUnavailable:
            if self._redis.down_since is not None:  # not if others were too many
                self._lose()
            raise

    def _lose(self) -> None:
        self._losses += 1
        self._lost.set()

    async def _return(self) -> None:
        """Make all that is there void. Raises RedisUnavailable, also if more was lost meanwhile."""
        losses = self._losses
        await self._redis.run(lambda client: client.set(EPOCH_KEY, _name()))
        self._memory.clear()
        if losses != self._losses:
            raise RedisUnavailable
        self._lost.clear()


async def _run(client: Any, script: str, keys: Collection[str], *arguments: object) -> Any:
    entries = [PREFIX + key for key in keys]
    return await client.eval(script, 1 + len(entries), EPOCH_KEY, *entries, *arguments)


def _name() -> str:
    return secrets.token_hex(_NAME_BYTES)
