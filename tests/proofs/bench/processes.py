"""Processes: what they begin with, what they use, and those that say where they are."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

import psutil

ROOT = Path(__file__).parents[3]
READY_S = 120.0  # on a machine that is busy
PORTS = SystemRandom()  # other processes, whose tests have seeds, choose others
_RESERVED: list[socket.socket] = []


def family(pid: int) -> list[psutil.Process]:
    """A process and those it has started."""
    head = psutil.Process(pid)
    return [head, *head.children(recursive=True)]


def used_s(pid: int) -> float:
    """Processor time that a process and those it has started have used, in seconds."""
    used = [process.cpu_times() for process in family(pid)]
    return float(sum(times.user + times.system for times in used))


class DidNotStart(Exception):
    """A process ended, or did not serve in time; the message holds what it printed."""


def free_port() -> int:
    """A port of the loopback interface that nobody uses now, and no other test is given.

    The system gives none of this range to a client, as it may do with one that it chose itself.
    """
    while True:
        port = PORTS.randrange(15_000, 32_000)
        mark = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe, suppress(OSError):
            mark.bind(f"\0antiphon test port {port}")  # one process at a time can, until it ends
            probe.bind(("127.0.0.1", port))
            _RESERVED.append(mark)
            return port
        mark.close()


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without settings of the server, and with ``extra``."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANTIPHON_")}
    return kept | {"PYTHONUNBUFFERED": "1", **(extra or {})}


@dataclass(frozen=True, slots=True)
class Printed:
    """A process that says in its first line where it is."""

    line: str
    pid: int


@asynccontextmanager
async def printed(module: str, *arguments: str) -> AsyncIterator[Printed]:
    """Run ``python -m module …`` for the block's time; it is ready when the block begins."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # clients that leave at a window's end
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_S)
        yield Printed(line.decode().strip(), process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):  # whoever was killed
            process.terminate()
        await process.wait()


def serve(made: Callable[[], asyncio.Protocol], said: str) -> None:
    """Serve a protocol on a free port until stopped; ``said`` is printed, with the port in it."""

    async def forever() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(made, "127.0.0.1", 0, backlog=1024)
        async with server:
            print(said.format(server.sockets[0].getsockname()[1]), flush=True)
            await server.serve_forever()

    with suppress(KeyboardInterrupt):
        asyncio.run(forever())
