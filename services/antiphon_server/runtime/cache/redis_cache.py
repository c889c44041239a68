"""A cache that several processes share, in Redis (or Valkey).

Whoever could not invalidate something owes it: it invalidates it before it uses Redis again, and
as soon as it can. What Redis forgets or brings back by itself nobody hears of: it ends by its
time.

Values carry a code (see `sealed_values.py`): what others have put there is not believed.
"""

import asyncio
import itertools
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any

from antiphon_server.runtime.cache.cache import ALONE_S, MAX_VALUE_BYTES, Found, MemoryCache
from antiphon_server.runtime.cache.sealed_values import MORE_BYTES, SealedValues
from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import SOON
from antiphon_server.runtime.storage.redis import Redis, RedisUnavailable

PREFIX = "{antiphon:cache}:"  # one slot of a cluster, as one script may touch no more
LEASE_MS = 10_000
MOST_OWED = 10_000
"""What is more ends by its time."""
_LEASE_BYTES = 8
_GET = """
local answer = {}
for i = 1, #KEYS do
  local found = redis.pcall('GET', KEYS[i])
  if type(found) == 'string' and #found <= tonumber(ARGV[3])
      and string.sub(found, 1, 1) == 'V' then
    answer[i] = string.sub(found, 2)
  else
    redis.call('SET', KEYS[i], 'L' .. ARGV[1], 'PX', ARGV[2])
    answer[i] = false
  end
end
return answer
"""
"""KEYS: entries. ARGV: a new lease, its time, the longest entry. Answers the values; whatever
else is found is none."""
_SET = """
for i = 1, #KEYS do
  if redis.pcall('GET', KEYS[i]) == 'L' .. ARGV[1] then
    redis.call('SET', KEYS[i], 'V' .. ARGV[i + 2], 'PX', ARGV[2])
  end
end
"""
"""KEYS: entries. ARGV: the lease, how long, values."""
_LONGEST = 1 + MORE_BYTES + MAX_VALUE_BYTES


class RedisCache:
    """A :class:`Cache` in Redis; while that is away each process remembers a little by itself.

    ``run`` has to run beside it, so that what it owes is made up for soon. All who are to read
    each other's values have one ``key``.
    """

    def __init__(self, redis: Redis, key: bytes) -> None:
        self._redis = redis
        self._values = SealedValues(key)
        self._memory = MemoryCache(longest_s=ALONE_S)
        self._owed: dict[str, int] = {}
        self._numbers = itertools.count()
        self._owing = asyncio.Event()

    @property
    def longest_s(self) -> float:
        """See :attr:`Cache.longest_s`: others may reach a Redis that is away from here."""
        return ALONE_S if self._owed or self._redis.down_since is not None else float("inf")

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
        self._owe(key)
        try:
            await self._settle()
        except RedisUnavailable:
            pass
        finally:  # also if the caller went away half-way
            if self._owed:
                self._owing.set()

    async def run(self) -> None:
        """Make up for what is owed as soon as Redis is back, until cancelled."""
        while True:
            await self._owing.wait()
            self._owing.clear()
            while self._owed:
                await retrying(self._settle, SOON, RedisUnavailable)

    async def _look_up(self, client: Any, keys: Collection[str]) -> Found:
        lease = secrets.token_hex(_LEASE_BYTES)
        answer = await _run(client, _GET, keys, lease, LEASE_MS, _LONGEST)
        found = {key: it for key, it in zip(keys, answer, strict=True) if it is not None}
        opened = {key: self._values.opened(key, bytes(memoryview(it))) for key, it in found.items()}
        values = {key: value for key, value in opened.items() if value is not None}
        if forged := [PREFIX + key for key in opened.keys() - values.keys()]:
            await client.delete(*forged)  # whoever looks next may replace them
        return Found(values, lease)

    async def _use(self, work: Callable[[Any], Any]) -> Any:
        if self._owed:
            await self._settle()
        return await self._redis.run(work)

    def _owe(self, key: str) -> None:
        self._owed[key] = next(self._numbers)
        if len(self._owed) > MOST_OWED:
            del self._owed[next(iter(self._owed))]

    async def _settle(self) -> None:
        """Raises RedisUnavailable; what comes to be owed meanwhile still is."""
        owed = dict(self._owed)
        await self._redis.run(lambda client: client.delete(*(PREFIX + key for key in owed)))
        for key, number in owed.items():
            if self._owed.get(key) == number:
                del self._owed[key]


async def _run(client: Any, script: str, keys: Collection[str], *arguments: object) -> Any:
    entries = [PREFIX + key for key in keys]
    return await client.eval(script, len(entries), *entries, *arguments)
