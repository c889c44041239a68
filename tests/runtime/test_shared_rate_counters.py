"""Servers count together through Redis, and each goes on by itself when Redis is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from antiphon_server.runtime.limits.rate_counters import WINDOW_S, MemoryCounters
from antiphon_server.runtime.limits.rate_limits import Limit
from antiphon_server.runtime.limits.shared_rate_counters import SharedCounters
from antiphon_server.runtime.storage.redis import Redis, RedisUnavailable
from tests.fakes.valkey import Valkey

RESYNCED_S = 2.0
LIMIT = Limit("writes", "principal", 1_000_000)


class Node:
    """One server's counters."""

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self.memory = MemoryCounters(clock)
        self.redis = Redis(url)
        self.counters = SharedCounters(self.memory, self.redis, clock)
        self.task = asyncio.create_task(self.counters.run())

    def spend(self, calls: int, who: str = "ann") -> None:
        """That many calls, each let through at once."""
        for _ in range(calls):
            assert self.counters.spend(LIMIT, who) == 0

    def known(self, who: str = "ann") -> int:
        """How many calls of all servers this one knows of, in this minute and the last."""
        tally = self.memory.find(LIMIT.name, who)
        if tally is None:
            return 0
        return tally.own + tally.others + tally.own_before + tally.others_before

    async def close(self) -> None:
        """Stop."""
        self.task.cancel()
        await asyncio.wait([self.task])
        await self.redis.close()


@asynccontextmanager
async def nodes(url: str, count: int = 2) -> AsyncIterator[list[Node]]:
    """Servers whose clocks begin in the middle of a minute."""
    offset = 1_800_000_030.0 - time.time()
    async with AsyncExitStack() as stack:
        made = [Node(url, lambda: time.time() + offset) for _ in range(count)]
        for node in made:
            stack.push_async_callback(node.close)
        yield made


async def agree(made: list[Node], total: int, who: str = "ann") -> float:
    """Wait until all know of ``total`` calls; seconds it took. Who calls asks for the others."""
    began = time.monotonic()
    while any(node.known(who) != total for node in made):
        assert time.monotonic() - began < 15, [node.known(who) for node in made]
        await asyncio.sleep(0.02)
        for node in made:
            node.counters.spend(Limit(LIMIT.name, "principal", 1), who)  # refused, not counted
    return time.monotonic() - began


async def test_what_one_counts_the_other_knows(valkey: Valkey) -> None:
    """Sums are exact, and the limit holds for both together."""
    async with nodes(valkey.url, 3) as made:
        for number, node in enumerate(made):
            node.spend(100 + number)
        await agree(made, 303)
        assert made[0].counters.spend(Limit(LIMIT.name, "principal", 303), "ann") > 0


@pytest.mark.parametrize("fault", ["killed", "stopped", "flapping"])
async def test_nothing_is_lost_or_doubled_by_an_outage(valkey: Valkey, fault: str) -> None:
    """Each decides at once meanwhile; within 2 s of the return all know of every call, once."""
    async with nodes(valkey.url) as made:
        for node in made:
            node.spend(50)
        await agree(made, 100)
        for _ in range(5 if fault == "flapping" else 1):
            await _break(valkey, fault)
            for _ in range(20):
                for node in made:
                    node.spend(5)  # decides without a wait: it is no coroutine
                await asyncio.sleep(0.02 if fault != "flapping" else 0.005)
            assert fault == "flapping" or all(node.redis.down_since for node in made)
            await _mend(valkey, fault)
        total = 100 + 2 * 20 * 5 * (5 if fault == "flapping" else 1)
        assert await agree(made, total) < RESYNCED_S + 1.0
        assert all(node.redis.down_since is None for node in made)
        made[0].spend(1)
        await agree(made, total + 1)


async def test_a_redis_that_forgot_everything_is_told_again(valkey: Valkey) -> None:
    """Also by those who noticed nothing, because no connection broke."""
    async with nodes(valkey.url) as made:
        for node in made:
            node.spend(40)
        await agree(made, 80)
        await made[0].redis.run(lambda client: client.flushall())
        async with nodes(valkey.url, 1) as late:
            late[0].spend(1)
            assert await agree([*made, *late], 81) < RESYNCED_S + 1.0


async def test_the_end_of_a_minute_is_told_in_the_next(valkey: Valkey) -> None:
    """What was counted just before the clock struck counts for the others, too."""
    clock = [1_800_000_000.0 + WINDOW_S - 0.001]
    made = [Node(valkey.url, lambda: clock[0]) for _ in range(2)]
    for node in made:
        node.spend(7)
    clock[0] += 0.002
    for node in made:
        node.spend(1)
    await agree(made, 16)
    assert all(node.memory.find("writes", "ann").others_before == 7 for node in made)  # type: ignore[union-attr]
    for node in made:
        await node.close()


async def test_an_outage_is_a_metric(valkey: Valkey) -> None:
    """Whether it is counted alone, and since when."""
    redis = Redis(valkey.url)
    await redis.run(lambda client: client.ping())
    assert _metrics(redis) == {
        "antiphon_redis_fallback": 0.0,
        "antiphon_redis_fallback_since_seconds": 0.0,
    }
    await valkey.kill()
    with pytest.raises(RedisUnavailable):
        await redis.run(lambda client: client.ping())
    metrics = _metrics(redis)
    assert metrics["antiphon_redis_fallback"] == 1.0
    assert abs(metrics["antiphon_redis_fallback_since_seconds"] - time.time()) < 60
    await redis.close()


def _metrics(redis: Redis) -> dict[str, float]:
    return {sample.name: sample.value for family in redis.collect() for sample in family.samples}


async def _break(valkey: Valkey, fault: str) -> None:
    if fault == "stopped":
        valkey.freeze()
    else:
        await valkey.kill()


async def _mend(valkey: Valkey, fault: str) -> None:
    if fault == "stopped":
        valkey.thaw()
    else:
        await valkey.start()


async def test_a_key_that_somebody_spoiled_is_of_that_key_alone(valkey: Valkey) -> None:
    """Another type, or no number: Redis is not away for that, and all of it is counted again."""
    from redis.asyncio import Redis as Client

    async with nodes(valkey.url) as made, Client.from_url(valkey.url) as other:
        for who in ("ann", "ben"):
            for node in made:
                node.spend(25, who)
            await agree(made, 50, who)
        for key in await other.keys("*ann"):
            await other.delete(key)
            await other.lpush(key, "x")
        for key in await other.keys("*ben"):
            await other.hset(key, "somebody", "no number")
        for who in ("ann", "ben"):
            made[1].spend(7, who)
            await agree(made, 57, who)
        assert [node.redis.availability.up for node in made] == [True, True]
        assert [node.redis.down_since for node in made] == [None, None]


async def test_a_marker_that_somebody_spoiled_is_set_anew(valkey: Valkey) -> None:
    """It is no reason to take Redis for away for ever."""
    from redis.asyncio import Redis as Client

    async with nodes(valkey.url) as made, Client.from_url(valkey.url) as other:
        for node in made:
            node.spend(5)
        await agree(made, 10)
        for key in await other.keys("*node:*"):
            spoil = other.pipeline()
            spoil.delete(key)
            spoil.lpush(key, "x")
            await spoil.execute()
        made[1].spend(7)
        await agree(made, 17)
