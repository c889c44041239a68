"""Redis may go away at any moment: nobody waits for it, nothing gets mixed up."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.storage.redis import (
    DEADLINE_S,
    MOST_AT_ONCE,
    PROBE_EVERY_S,
    Redis,
    RedisUnavailable,
)
from tests.e2e.until import SOON_S
from tests.fakes.valkey import Valkey

CANCELLED = 300


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    connected = Redis(valkey.url)
    yield connected
    await connected.close()


async def ping(client: Any) -> bool:
    return bool(await client.ping())


async def test_cancelled_commands_leave_no_answer_behind(redis: Redis) -> None:
    """Of 300 commands cancelled on their way, no later one gets the answer."""
    chance = random.Random(7)

    async def echo(number: int) -> bytes:
        async def work(client: Any) -> bytes:
            # A part of the wait happens in the server, so that cancelling falls into it.
            await client.eval("local n = 0 for i = 1, 2000 do n = n + i end return n", 0)
            return bytes(await client.echo(f"{number}"))

        return await redis.run(work)

    began = time.perf_counter()
    for number in range(20):
        assert await echo(number) == str(number).encode()
    usual_s = (time.perf_counter() - began) / 20
    cancelled = 0
    for number in range(20_000):
        task = asyncio.create_task(echo(number))
        await asyncio.sleep(chance.random() * usual_s)
        task.cancel()
        try:
            assert await task == str(number).encode()
        except asyncio.CancelledError:
            cancelled += 1
        if number % 50 == 0:
            answers = await asyncio.gather(*(echo(-n) for n in range(8)))
            assert answers == [str(-n).encode() for n in range(8)]
        if cancelled == CANCELLED:
            break
    assert cancelled == CANCELLED
    assert redis.down_since is None


async def test_a_server_that_is_stopped_costs_one_deadline(redis: Redis, valkey: Valkey) -> None:
    """The first call waits for it, the next ones fail at once; one probes, and is answered."""
    await redis.run(ping)
    valkey.freeze()
    began = time.monotonic()
    with pytest.raises(RedisUnavailable):
        await redis.run(ping)
    assert time.monotonic() - began < DEADLINE_S + 2.0
    assert redis.down_since is not None
    asked = 0

    async def count(client: Any) -> None:
        nonlocal asked
        asked += 1

    for _ in range(100):
        with pytest.raises(RedisUnavailable):
            await redis.run(count)
    assert asked == 0
    valkey.thaw()
    async with asyncio.timeout(SOON_S):
        while redis.down_since is not None:
            await asyncio.sleep(0.02)
            with suppress(RedisUnavailable):
                await redis.run(ping)


async def test_one_call_at_a_time_probes(redis: Redis, valkey: Valkey) -> None:
    """Of a hundred calls at once, when it is time, one goes out."""
    await valkey.kill()
    with pytest.raises(RedisUnavailable):
        await redis.run(ping)
    await asyncio.sleep(PROBE_EVERY_S)
    asked = 0

    async def count(client: Any) -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.05)

    calls = (redis.run(count) for _ in range(100))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert asked == 1
    assert outcomes.count(None) == 1


async def test_many_at_once_are_no_outage(valkey: Valkey) -> None:
    """More calls than connections wait for their turn; also beside those who subscribe."""
    redis = Redis(valkey.url, deadline_s=10.0)
    async with redis.subscription("a"), redis.subscription("b"):
        assert all(await asyncio.gather(*(redis.run(ping) for _ in range(5 * MOST_AT_ONCE))))
    assert redis.down_since is None
    await redis.close()


async def test_who_never_gets_a_turn_is_not_kept(valkey: Valkey) -> None:
    """It fails after a deadline, and that is no word about Redis."""
    redis = Redis(valkey.url, deadline_s=0.5)
    free = asyncio.Event()

    async def hold(client: Any) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await free.wait()

    many = (redis.run(hold) for _ in range(50 * MOST_AT_ONCE))
    outcomes = await asyncio.gather(*many, return_exceptions=True)
    assert {type(one) for one in outcomes} == {type(None), RedisUnavailable}
    assert redis.down_since is None
    assert await redis.run(ping)
    await redis.close()


async def test_a_restart_is_a_failure_once(redis: Redis, valkey: Valkey) -> None:
    """No command is repeated in secret; the next probe finds the new server."""
    await redis.run(ping)
    await valkey.kill()
    with pytest.raises(RedisUnavailable):
        await redis.run(ping)
    await valkey.start()
    await asyncio.sleep(PROBE_EVERY_S)
    assert await redis.run(ping)
    assert redis.down_since is None


def test_a_wrong_address_is_said_at_once() -> None:
    """Not when it is first used."""
    with pytest.raises(WrongSetting, match="scheme"):
        Redis("http://nowhere")
