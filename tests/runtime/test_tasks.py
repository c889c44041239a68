"""Tasks that are waited for together have one owner, who sees to their end."""

import asyncio

import pytest

from antiphon_server.runtime.concurrency.tasks import every, first_of
from antiphon_server.runtime.errors import DomainError, Reason


async def test_the_first_end_ends_the_others() -> None:
    """They are cancelled, and their end is waited for."""
    steps: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("ended")

    await first_of([slow(), asyncio.sleep(0.001)])
    assert steps == ["ended"]


async def test_what_the_first_raised_is_raised() -> None:
    """An error is not the same as an end."""

    async def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await first_of([asyncio.Event().wait(), broken()])


async def test_cancelling_leaves_nothing_running() -> None:
    """Whoever waits takes those it waits for along."""
    ended = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(first_of([slow()]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()


async def test_regular_work_survives_every_failure(caplog: pytest.LogCaptureFixture) -> None:
    """What fails is logged and done again; a cancellation ends it."""
    done = asyncio.Event()
    failures: list[Exception] = [ValueError("broken"), DomainError(Reason.STORE_UNAVAILABLE)]

    async def work() -> None:
        if failures:
            raise failures.pop()
        done.set()

    working = asyncio.create_task(every(0.0, work), name="auth.keys")
    await done.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert [record.getMessage() for record in caplog.records] == [
        "auth.keys has to wait: STORE_UNAVAILABLE",
        "auth.keys failed, and goes on",
    ]


async def test_regular_work_may_begin_after_its_first_pause() -> None:
    """A process that starts is not kept busy by what can wait."""
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    patient = asyncio.create_task(every(3_600.0, work, at_once=False))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not done.is_set()
    hasty = asyncio.create_task(every(0.0, work, at_once=False))
    await done.wait()
    for task in (patient, hasty):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
