"""Programs of Go modules, installed once for all tests from the Go module proxy."""

import asyncio
import os
from pathlib import Path

from tests.programs import found

FOLDER = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "antiphon", "go")
GRPCURL = "github.com/fullstorydev/grpcurl/internal/testing/cmd"
VERSION = "v1.9.3"
BUILD_S = 600.0


async def installed(name: str) -> Path:
    """One of grpcurl's own test servers: ``bankdemo`` or ``testserver``."""
    program = FOLDER / f"{name}-{VERSION}" / name
    if not program.exists():
        go = found("go")
        assert go is not None
        process = await asyncio.create_subprocess_exec(
            *(go, "install", f"{GRPCURL}/{name}@{VERSION}"),
            env={**os.environ, "GOBIN": str(program.parent)},
        )
        async with asyncio.timeout(BUILD_S):
            assert await process.wait() == 0
    return program
