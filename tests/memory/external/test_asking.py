"""A memory of others is waited for within its deadline, and left alone when it is of no use."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from antiphon_server.memory.external.asking import Asking
from antiphon_server.memory.external.model import Answered, Heard, Hit, Question
from antiphon_server.runtime.concurrency.breaker import Limits
from antiphon_server.runtime.concurrency.bulkhead import Bounds
from antiphon_server.runtime.errors import DomainError, Reason

QUESTION = Question("tea", ["users/user_0000000ann"], 10)
LIMITS = Limits(remembered=4, failures=2, open_s=0.2)


class Told:
    """A memory of others that does what it is told to."""

    def __init__(self) -> None:
        self.hits: Sequence[Hit] = [Hit("mem_00000001")]
        self.slow_s = 0.0
        self.error: Exception | None = None
        self.asked = 0

    async def search(self, question: Question) -> Sequence[Hit]:
        self.asked += 1
        await asyncio.sleep(self.slow_s)
        if self.error is not None:
            raise self.error
        return self.hits


@pytest.fixture
def memory() -> Told:
    return Told()


def asking_of(memory: Any, **more: Any) -> Asking:
    """Asking it, for a twentieth of a second."""
    return Asking(memory, 0.05, **{"limits": LIMITS, **more})


async def heard(asking: Asking) -> Heard:
    """What came of it."""
    async with asking.asked(QUESTION) as asked:
        return await asked.heard()


async def test_an_answer_counts(memory: Told) -> None:
    asking = asking_of(memory)
    assert await heard(asking) == Heard(Answered.ANSWERED, [Hit("mem_00000001")])
    assert asking.answers


@pytest.mark.parametrize(
    ("slow_s", "error", "answered"),
    [
        (5.0, None, Answered.LATE),
        (0.0, DomainError(Reason.CONNECTION_UNAVAILABLE), Answered.FAILED),
        (0.0, ValueError("a defect"), Answered.FAILED),
    ],
)
async def test_without_an_answer_it_is_left_alone_and_tried_again(
    memory: Told, slow_s: float, error: Exception | None, answered: Answered
) -> None:
    """Two that waited in vain open the breaker; when it is half open one is asked."""
    asking = asking_of(memory)
    memory.slow_s, memory.error = slow_s, error
    began = time.monotonic()
    for _ in range(2):
        assert (await heard(asking)).answered is answered
    assert time.monotonic() - began < 2
    assert (await heard(asking)).answered is Answered.LEFT_ALONE
    assert (memory.asked, asking.answers) == (2, False)
    memory.slow_s, memory.error = 0.0, None
    await asyncio.sleep(0.25)
    assert (await heard(asking)).answered is Answered.ANSWERED
    assert dict(asking.searches) == {answered: 2, Answered.LEFT_ALONE: 1, Answered.ANSWERED: 1}


async def test_what_came_while_the_asker_had_else_to_do_is_not_late(memory: Told) -> None:
    """The deadline is how long it is waited for."""
    async with asking_of(memory).asked(QUESTION) as asked:
        memory.slow_s = 0.06
        await asyncio.sleep(0.3)
        assert (await asked.heard()).answered is Answered.ANSWERED


async def test_one_that_is_told_again_is_asked_again_at_once(memory: Told) -> None:
    asking = asking_of(memory, limits=Limits(failures=1, open_s=60))
    memory.error = DomainError(Reason.TOOL_FAILED)
    await heard(asking)
    memory.error = None
    assert (await heard(asking)).answered is Answered.LEFT_ALONE
    asking.is_back()
    assert (await heard(asking)).answered is Answered.ANSWERED


async def test_who_finds_no_place_does_not_wait(memory: Told) -> None:
    asking = Asking(memory, 30.0, bounds=Bounds(1, 0, 0.0))  # type: ignore[arg-type]
    memory.slow_s = 0.02
    both = await asyncio.gather(heard(asking), heard(asking))
    assert [it.answered for it in both] == [Answered.ANSWERED, Answered.LEFT_ALONE]


async def test_who_leaves_has_it_asked_no_more(memory: Told) -> None:
    memory.slow_s = 60
    asking = Asking(memory, 60.0)  # type: ignore[arg-type]
    async with asking.asked(QUESTION):
        await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


async def test_who_is_cancelled_while_it_begins_leaves_nothing_running(memory: Told) -> None:
    memory.slow_s = 60
    asker = asyncio.create_task(heard(Asking(memory, 60.0)))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    asker.cancel()
    await asyncio.wait([asker])
    assert len(asyncio.all_tasks()) == 1


async def test_of_an_answer_ids_count_each_once_and_so_many(memory: Told) -> None:
    memory.hits = [
        *(Hit(it) for it in ("", "mem_", "mem_\x00", "x" * 9000, "mem_00000001", "mem_00000001")),
        *(Hit(f"mem_{number:08}") for number in range(100_000)),
    ]
    hits = (await heard(asking_of(memory))).hits
    assert hits[0].memory_id == "mem_00000001"
    assert len(hits) == len({it.memory_id for it in hits}) == 100
