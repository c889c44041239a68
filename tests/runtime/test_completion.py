"""What was begun is finished, whoever goes away."""

import asyncio

import pytest

from antiphon_server.runtime.completion import Completion


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

    caller = asyncio.create_task(completion.run(act()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go.set()
    await completion.close()
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
