"""A program that is watched."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.process.child import Child, DidNotStart
from tests.e2e.until import SOON_S, until

SOON = RetryPolicy(0.01)
COMMAND = [
    sys.executable,
    "-I",
    "-S",
    "-c",
    "import time; print('begun', flush=True); time.sleep({})",
]


@asynccontextmanager
async def watched(output: Path, seconds: float) -> AsyncIterator[Child]:
    """A program that ends after so long."""
    child = Child("it", [part.format(seconds) for part in COMMAND], output, policy=SOON)
    await child.start()
    watching = asyncio.create_task(child.watch())
    try:
        yield child
        assert not watching.done()
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        await child.stop()


async def test_what_can_not_be_started_again_is_tried_again(tmp_path: Path) -> None:
    """Whatever the machine lacks for a while: a program whose start failed is not given up."""
    folder, away = tmp_path / "folder", tmp_path / "away"
    folder.mkdir()
    async with watched(folder / "output", 0.2) as child:
        folder.rename(away)
        await until(lambda: child.restarts >= 3)
        begun = (away / "output").read_text().count("begun")
        away.rename(folder)
        await until(lambda: (folder / "output").read_text().count("begun") > begun)


async def test_why_it_does_not_come_up_is_said_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried on for as long as it takes, and each try would fill the log."""
    tries = 0

    async def up() -> None:
        nonlocal tries
        tries += 1
        if tries > 1:
            raise DidNotStart("it said:\nno address")

    child = Child("it", [sys.executable, "-c", ""], tmp_path / "output", up=up, policy=SOON)
    await child.start()
    watching = asyncio.create_task(child.watch())
    await until(lambda: tries > 2)
    watching.cancel()
    await asyncio.wait([watching])
    said = [it for it in caplog.records if "could not" in it.message]
    assert "it said: no address" in said[0].message
    assert said[0].exc_info is None


@pytest.mark.parametrize("seconds", [60, 0])
async def test_what_is_stopped_is_not_started_again(tmp_path: Path, seconds: int) -> None:
    """Whether it ends by that, or had ended and was to be started again after a while."""
    command = [part.format(seconds) for part in COMMAND]
    child = Child("it", command, tmp_path / "output", policy=RetryPolicy(0.3))
    await child.start()
    watching = asyncio.create_task(child.watch())
    await until(lambda: child.ended is (seconds == 0))
    await asyncio.sleep(0.05)  # the watch sees it
    await child.stop()
    await asyncio.wait_for(watching, SOON_S)
    assert (child.restarts, child.pid) == (0, None)
