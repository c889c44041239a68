"""So many calls at once, and so many that wait."""

import asyncio
import random
import time

import pytest

from antiphon_server.runtime.concurrency.bulkhead import Bounds, Bulkhead, NoPlace

LONG_S = 60.0


async def _soon() -> None:
    """Let all others go as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


class Calls:
    """Calls that have a place until they are told to end."""

    def __init__(self, bounds: Bounds) -> None:
        self.bulkhead = Bulkhead(bounds)
        self.begun: list[int] = []
        self.ends: dict[int, asyncio.Event] = {}

    def begin(self, number: int) -> asyncio.Task[None]:
        """One more."""
        self.ends[number] = asyncio.Event()
        return asyncio.create_task(self._call(number))

    async def _call(self, number: int) -> None:
        async with self.bulkhead:
            self.begun.append(number)
            await self.ends[number].wait()


async def test_who_comes_when_all_is_taken_waits_in_line() -> None:
    """Each place that comes free is that of who has waited longest."""
    calls = Calls(Bounds(2, 3, LONG_S))
    tasks = [calls.begin(number) for number in range(5)]
    await _soon()
    assert (calls.begun, calls.bulkhead.taken, calls.bulkhead.waiting) == ([0, 1], 2, 3)
    for number in (1, 0, 3, 2, 4):
        calls.ends[number].set()
        await _soon()
    assert calls.begun == [0, 1, 2, 3, 4]
    await asyncio.gather(*tasks)
    assert (calls.bulkhead.taken, calls.bulkhead.refused) == (0, 0)


async def test_who_may_not_wait_is_refused_at_once() -> None:
    """Because so many wait already, or because nobody may."""
    for waiting in (0, 2):
        calls = Calls(Bounds(1, waiting, LONG_S))
        tasks = [calls.begin(number) for number in range(1 + waiting)]
        await _soon()
        with pytest.raises(NoPlace) as refused:
            await calls.begin(9)
        assert refused.value.waited_s == 0.0
        for end in calls.ends.values():
            end.set()
        await asyncio.gather(*tasks)
        assert calls.bulkhead.refused == 1


async def test_who_has_waited_in_vain_is_refused() -> None:
    """And is in nobody's way any more."""
    calls = Calls(Bounds(1, 1, 0.05))
    first = calls.begin(0)
    await _soon()
    began = time.monotonic()
    with pytest.raises(NoPlace) as refused:
        await calls.begin(1)
    assert time.monotonic() - began >= 0.05
    assert (refused.value.waited_s, calls.bulkhead.waiting) == (0.05, 0)
    calls.ends[0].set()
    await first
    assert calls.bulkhead.taken == 0


async def test_who_is_cancelled_leaves_the_line() -> None:
    """Also at the moment when the place is theirs: then it is the next one's."""
    calls = Calls(Bounds(1, 2, LONG_S))
    first, second, third = (calls.begin(number) for number in range(3))
    await _soon()
    calls.ends[0].set()
    await first
    assert not second.done()
    second.cancel()
    await _soon()
    assert calls.begun == [0, 2]
    calls.ends[2].set()
    await third
    assert calls.bulkhead.taken == 0


async def test_no_place_is_lost_or_doubled_whatever_happens() -> None:
    """Ten thousand calls that end, fail, are cancelled and give up in any order."""
    bulkhead, chance, most = Bulkhead(Bounds(5, 10, 0.001)), random.Random(1), 0

    async def call() -> None:
        nonlocal most
        async with bulkhead:
            most = max(most, bulkhead.taken)
            await asyncio.sleep(chance.choice((0, 0, 0.0005, 0.002)))
            if chance.random() < 0.1:
                raise ValueError

    for _ in range(100):
        tasks = [asyncio.create_task(call()) for _ in range(100)]
        for task in chance.sample(tasks, 30):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert (bulkhead.taken, bulkhead.waiting, most) == (0, 0, 5)
    assert bulkhead.refused > 0
