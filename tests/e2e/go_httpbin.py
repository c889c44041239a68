"""go-httpbin, a real server of HTTP and WebSockets, built by Go into a folder of caches."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.until import PATIENCE_S
from tests.programs import found

VERSION = "v2.26.0"
SOURCE = f"github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@{VERSION}"
BUILT_S = 300.0


async def _program() -> str:
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "antiphon" / f"go-httpbin-{VERSION}"
    program = folder / "go-httpbin"
    if not program.exists():
        go = found("go")
        assert go is not None
        variables = {**os.environ, "GOBIN": str(folder)}
        building = await asyncio.create_subprocess_exec(go, "install", SOURCE, env=variables)
        async with asyncio.timeout(BUILT_S):
            assert await building.wait() == 0
    return str(program)


@asynccontextmanager
async def go_httpbin() -> AsyncIterator[str]:
    """Where it listens, as `host:port`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ("-host", "127.0.0.1", "-port", str(port))
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        await _program(), *arguments, stdout=quiet, stderr=quiet
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await _listens(port):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
