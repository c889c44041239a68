"""What was begun is finished, whoever goes away."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import pytest

from antiphon_server.runtime.concurrency.completion import Completion, Outcome
from antiphon_server.runtime.errors import DomainError, Reason


async def left(completion: Completion, act: Coroutine[Any, Any, None], go: asyncio.Event) -> None:
    """Its caller goes away; then it goes on, to its end."""
    caller = asyncio.create_task(completion.run(act))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go.set()
    await completion.close()
    await asyncio.sleep(0)


async def test_a_caller_who_goes_away_stops_nothing() -> None:
    """Closing waits for what they began, and for what that has begun."""
    completion, go, done = Completion(), asyncio.Event(), list[str]()

    async def after() -> None:
        await asyncio.sleep(0)
        done.append("after")

    async def act() -> None:
        await go.wait()
        done.append("act")
        completion.begin(after())

    await left(completion, act(), go)
    assert done == ["act", "after"]


async def test_a_failure_is_the_callers() -> None:
    """It is raised to who waits, and closing raises nothing."""
    completion = Completion()

    async def act() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await completion.run(act())
    completion.begin(act())
    await completion.close()


@pytest.mark.parametrize(
    ("error", "levels"),
    [
        (ValueError("broken"), [logging.ERROR]),
        (DomainError(Reason.DRAINING), [logging.WARNING]),
        (Outcome(), []),
    ],
)
async def test_a_failure_that_nobody_waits_for_is_logged(
    error: Exception, levels: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """Once; a defect as an error. What a repetition raises, whose caller went away, is none."""
    go = asyncio.Event()

    async def act() -> None:
        await go.wait()
        raise error

    await left(Completion(), act(), go)
    assert [record.levelno for record in caplog.records] == levels


async def test_a_failure_that_somebody_hears_of_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is in their log, if they log it."""

    async def act() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await Completion().run(act())
    await asyncio.sleep(0)
    assert not caplog.records
