"""Writes that wait are made together, and none suffers from another."""

import asyncio
import contextvars
from collections.abc import Sequence

import pytest

from antiphon_server.runtime.concurrency.grouping import Grouped
from antiphon_server.runtime.errors import DomainError, Reason


class Disk:
    """Doubles numbers, a group at a time, when it is let; refuses groups with a ``poison``."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.let = asyncio.Event()
        self.poison: dict[int, Exception] = {}

    async def write(self, items: Sequence[int]) -> list[int]:
        """Write a group."""
        await self.let.wait()
        for item in items:
            if item in self.poison:
                raise self.poison[item]
        self.groups.append(list(items))
        return [2 * item for item in items]


async def begun(grouped: Grouped[int, int], *items: int) -> list["asyncio.Task[int]"]:
    """Ask for writes, one after the other."""
    tasks = [asyncio.create_task(grouped.add(item)) for item in items]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_what_comes_while_a_group_is_written_is_the_next_group() -> None:
    """The first goes alone; each gets its own result."""
    disk = Disk()
    grouped = Grouped(disk.write)
    tasks = [*await begun(grouped, 1), *await begun(grouped, 2, 3, 4)]
    disk.let.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert disk.groups == [[1], [2, 3, 4]]
    assert await grouped.add(5) == 10


async def test_one_that_fails_does_not_sink_the_others() -> None:
    """Each item of a group that failed is tried alone."""
    disk = Disk()
    disk.poison[3] = ValueError("three")
    grouped = Grouped(disk.write)
    tasks = [*await begun(grouped, 1), *await begun(grouped, 2, 3, 4)]
    disk.let.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [results[0], results[1], results[3]] == [2, 4, 8]
    assert isinstance(results[2], ValueError)


async def test_a_store_that_is_away_refuses_the_group_at_once() -> None:
    """Nothing is tried again for each of its items."""
    disk = Disk()
    disk.poison[2] = DomainError(Reason.STORE_UNAVAILABLE)
    grouped = Grouped(disk.write)
    tasks = [*await begun(grouped, 1), *await begun(grouped, 2, 3)]
    disk.let.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(it, DomainError) for it in results] == [False, True, True]
    assert disk.groups == [[1]]


async def test_a_caller_that_goes_takes_nothing_with_it() -> None:
    """What was accepted is written though nobody waits for it."""
    disk = Disk()
    grouped = Grouped(disk.write)
    tasks = await begun(grouped, 1, 2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    disk.let.set()
    assert await grouped.add(3) == 6
    assert sorted(item for group in disk.groups for item in group) == [1, 2, 3]


async def test_waiting_writes_are_bounded() -> None:
    """One too many is refused, and may come again."""
    disk = Disk()
    grouped = Grouped(disk.write, most=2)
    tasks = [*await begun(grouped, 1), *await begun(grouped, 2, 3)]
    with pytest.raises(DomainError) as refused:
        await grouped.add(4)
    assert refused.value.reason is Reason.OVERLOADED
    disk.let.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6]


async def test_waiting_bytes_are_bounded() -> None:
    """What is on its way counts too, whether or not its caller is still there."""
    disk = Disk()
    grouped = Grouped(disk.write, lambda item: item, most_bytes=10)
    tasks = [*await begun(grouped, 6), *await begun(grouped, 3)]
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    with pytest.raises(DomainError) as refused:
        await grouped.add(4)
    assert refused.value.reason is Reason.OVERLOADED
    disk.let.set()
    assert await tasks[1] == 6
    assert await grouped.add(10) == 20


async def test_nobody_waits_for_a_writer_that_was_cancelled() -> None:
    """Its group and those behind it are told that the store is away."""
    disk = Disk()
    grouped = Grouped(disk.write)
    tasks = [*await begun(grouped, 1), *await begun(grouped, 2)]
    (writer,) = (task for task in asyncio.all_tasks() if task.get_name() == "grouped-writes")
    writer.cancel()
    done, _ = await asyncio.wait(tasks, timeout=5)
    reasons = [getattr(task.exception(), "reason", None) for task in done]
    assert reasons == [Reason.STORE_UNAVAILABLE] * 2


async def test_closing_writes_what_waits_and_takes_no_more() -> None:
    """No task is left of it."""
    disk = Disk()
    grouped = Grouped(disk.write)
    tasks = [*await begun(grouped, 1), *await begun(grouped, 2)]
    closing = asyncio.create_task(grouped.close())
    await asyncio.sleep(0)
    assert not closing.done()
    disk.let.set()
    await closing
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "grouped-writes"]
    assert await asyncio.gather(*tasks) == [2, 4]
    with pytest.raises(DomainError) as refused:
        await grouped.add(3)
    assert refused.value.reason is Reason.DRAINING


async def test_a_group_is_nobodys_context() -> None:
    """What the first caller's context says is not said of the others' writes."""
    whose = contextvars.ContextVar("whose", default="nobody")
    seen: list[str] = []

    async def write(items: Sequence[int]) -> list[int]:
        seen.append(whose.get())
        return list(items)

    whose.set("the first caller")
    await Grouped(write).add(1)
    assert seen == ["nobody"]
