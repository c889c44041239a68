"""The asking server as a process of its own, over HTTP."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.until import PATIENCE_S

SERVER = str(Path(__file__).with_name("asking_server.py"))


@asynccontextmanager
async def asking_server(done: Path, *, old: bool = False) -> AsyncGenerator[str]:
    """Its URL; what it has done are the lines of ``done``. An ``old`` one holds calls that ask."""
    told = ("http", "old") if old else ("http",)
    process = await asyncio.create_subprocess_exec(
        sys.executable, SERVER, str(done), *told, stdout=PIPE, stderr=DEVNULL
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.wait()
