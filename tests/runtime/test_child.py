"""A program that is watched."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from antiphon_server.runtime.child import Child
from tests.e2e.until import until

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
    child = Child("it", [part.format(seconds) for part in COMMAND], output, again_s=0.01)
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
