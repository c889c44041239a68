"""Tasks that are waited for together have one owner, who sees to their end."""

import asyncio

import pytest

from antiphon_server.runtime.tasks import first_of


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
