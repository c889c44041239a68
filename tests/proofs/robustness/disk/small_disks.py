"""Places for a store that have no room left, until they get some."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import psutil

KIB = 1 << 10
SMALL_KIB, LARGE_KIB = 6 << 10, 64 << 10
ROOM_KIB = 512
IS_ROOT = os.geteuid() == 0


class SmallDisk(Protocol):
    """Where a server's data are."""

    def shrink(self, pid: int) -> None:
        """Leave the server little room."""
        ...

    async def grow(self, pid: int) -> None:
        """Give it plenty."""
        ...


class SmallTmpfs:
    """A file system of a few MiB; mounting it takes root. It is small from the beginning."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def shrink(self, pid: int) -> None:
        """See :meth:`SmallDisk.shrink`."""

    async def grow(self, pid: int) -> None:
        """See :meth:`SmallDisk.grow`."""
        await _run("mount", "-o", f"remount,size={LARGE_KIB}k", str(self._place))


class FileSizeLimit:
    """No file of the server may grow beyond a size: EFBIG, which takes no right at all."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def shrink(self, pid: int) -> None:
        """See :meth:`SmallDisk.shrink`."""
        largest = max(file.stat().st_size for file in self._place.iterdir())
        self._limit(pid, largest + ROOM_KIB * KIB)

    async def grow(self, pid: int) -> None:
        """See :meth:`SmallDisk.grow`."""
        self._limit(pid, resource.RLIM_INFINITY)

    def _limit(self, pid: int, most: int) -> None:
        process = psutil.Process(pid)
        _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (most, hard))


@asynccontextmanager
async def small_disk(place: Path, kind: str) -> AsyncIterator[SmallDisk]:
    """A small place, ``tmpfs`` or ``limit``, for the block's time."""
    if kind == "limit":
        yield FileSizeLimit(place)
        return
    await _run("mkdir", "-p", str(place))
    await _run("mount", "-t", "tmpfs", "-o", f"size={SMALL_KIB}k,mode=0700", "tmpfs", str(place))
    try:
        yield SmallTmpfs(place)
    finally:
        await _run("umount", str(place))


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode:
        raise OSError(f"{' '.join(command)}: {said.decode().strip()}")
