"""Adds up what several processes have counted, in Redis, while each decides by itself.

Every process writes its own counts as they stand, and reads the sum of the others'. A count
that is written twice is the same count (a grow-only counter: Shapiro and others, 2011), so
nothing is lost or doubled by a command that was cut off, by an outage, or by a Redis that comes
back empty. A call never waits for Redis; processes learn of each other within ``EVERY_S``.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.limits.rate_counters import WINDOW_S, MemoryCounters, Tally
from antiphon_server.runtime.limits.rate_limits import Limit
from antiphon_server.runtime.storage.redis import Redis, RedisUnavailable

EVERY_S = 0.1
IDLE_EVERY_S = 1.0
BATCH = 500
_KEPT_S = int(3 * WINDOW_S)
_PREFIX = "{antiphon:rates}:"  # one slot of a cluster, as one script may touch no more
_SCRIPT = """
local marked = redis.call('TYPE', KEYS[1])['ok']
if marked ~= 'string' and marked ~= 'none' then redis.call('DEL', KEYS[1]) end
local known = redis.call('SET', KEYS[1], 1, 'EX', ARGV[2], 'GET')
local answer = {known and 1 or 0}
for i = 2, #KEYS do
  local own = tonumber(ARGV[i + 1])
  local kind = redis.call('TYPE', KEYS[i])['ok']
  if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[i]) end
  if own > (tonumber(redis.call('HGET', KEYS[i], ARGV[1]) or 0) or 0) then
    redis.call('HSET', KEYS[i], ARGV[1], own)
  end
  redis.call('EXPIRE', KEYS[i], ARGV[2])
  local sum = 0
  for _, count in ipairs(redis.call('HVALS', KEYS[i])) do
    sum = sum + (tonumber(count) or 0)
  end
  answer[i] = sum
end
return answer
"""
"""KEYS: this process's marker, then counters. ARGV: this process, seconds kept, own counts.
Answers whether the marker was there, and the counters' sums. What somebody spoiled is counted anew:
an error would look as if Redis was away, for the bus too."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What this process has counted of somebody in one minute."""

    limit: str
    who: str
    window: int
    own: int


class SharedCounters:
    """A :class:`~antiphon_server.runtime.limits.rate_counters.RateCounters` of several processes.

    ``run`` has to run beside it. While Redis is away it decides by what it counted itself and
    knew of the others; then it tells all that is still of interest.
    """

    def __init__(
        self, memory: MemoryCounters, redis: Redis, clock: Callable[[], float] = time.time
    ) -> None:
        self._memory = memory
        self._redis = redis
        self._clock = clock
        self._node = new_id("node")
        self._changed: set[tuple[str, str]] = set()
        self._all = True
        self._next = 0.0

    def spend(self, limit: Limit, who: str, count: int = 1) -> float:
        """See :meth:`RateCounters.spend`."""
        wait = self._memory.spend(limit, who, count)
        if not self._all:  # otherwise everybody is told of in any case
            self._changed.add((limit.name, who))
        return wait

    async def run(self) -> None:
        """Tell and ask, ten times a second as long as calls come."""
        while True:
            await asyncio.sleep(EVERY_S)
            if self._changed or self._all or time.monotonic() >= self._next:
                self._next = time.monotonic() + IDLE_EVERY_S
                await self.exchange()

    async def exchange(self) -> None:
        """Tell what was counted, and learn what others have; do neither if Redis is away."""
        everybody = self._all
        who = list(self._memory.live()) if everybody else self._changed
        self._changed, self._all = set(), False
        rows = self._rows(who, everybody)
        try:
            if await self._exchange_all(rows):
                self._all = not everybody  # it has forgotten us, and so all that we had told
        except RedisUnavailable:
            self._changed, self._all = set(), True

    async def _exchange_all(self, rows: Iterable[_Row]) -> bool:
        """Whether Redis did not know us."""
        rows = iter(rows)
        forgotten = await self._exchange(
            list(itertools.islice(rows, BATCH))
        )  # asks, if but for that
        while batch := list(itertools.islice(rows, BATCH)):
            await self._exchange(batch)
        return forgotten

    async def _exchange(self, batch: list[_Row]) -> bool:
        keys = [f"{_PREFIX}node:{self._node}", *(_key(row) for row in batch)]
        arguments = [self._node, _KEPT_S, *(row.own for row in batch)]

        async def ask(client: Any) -> tuple[int, list[tuple[_Row, int]]]:
            known, *sums = await client.eval(_SCRIPT, len(keys), *keys, *arguments)
            return int(known), list(zip(batch, map(int, sums), strict=True))

        known, totals = await self._redis.run(ask)
        for row, total in totals:
            self._learn(row, total)
        return not known

    def _learn(self, row: _Row, total: int) -> None:
        tally = self._memory.find(row.limit, row.who)
        if tally is None:
            return
        if tally.window == row.window:
            tally.others = max(0, total - row.own)
        elif tally.window == row.window + 1:
            tally.others_before = max(0, total - row.own)

    def _rows(self, who: Iterable[tuple[str, str]], everybody: bool) -> Iterable[_Row]:
        into = self._clock() % WINDOW_S
        for limit, name in who:
            tally = self._memory.find(limit, name)
            if tally is None:
                continue
            yield _Row(limit, name, tally.window, tally.own)
            # What was counted at the end of the last minute was not told yet.
            if everybody or into < IDLE_EVERY_S:
                yield from _before(limit, name, tally)


def _before(limit: str, who: str, tally: Tally) -> Iterable[_Row]:
    if tally.own_before or tally.others_before:
        yield _Row(limit, who, tally.window - 1, tally.own_before)


def _key(row: _Row) -> str:
    return f"{_PREFIX}{row.limit}:{row.window}:{row.who}"
