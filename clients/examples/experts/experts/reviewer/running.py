"""Programs that look at what strangers wrote: bounded in time, memory and words."""

import asyncio
import os
import resource
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MAX_OUTPUT = 4_000_000
MAX_MEMORY = 4_000_000_000
"""Bytes of address space, where the system can hold another process to that."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, and what it said."""

    code: int
    output: str


class DidNotEnd(Exception):
    """A program took too long, or said too much."""


async def run(command: Sequence[str], cwd: Path, home: Path, seconds: float) -> Ran:
    """Run it with nothing of this process's environment, keys among it. Raises DidNotEnd."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        _bound(process)
        async with asyncio.timeout(seconds):
            output = await _read(process)
            return Ran(await process.wait(), output)
    except TimeoutError:
        raise DidNotEnd(f"took longer than {seconds:g} s") from None
    finally:
        await _end(process)


def _bound(process: Process) -> None:
    if hasattr(resource, "prlimit"):
        with suppress(ProcessLookupError):  # it has ended
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


async def _read(process: Process) -> str:
    assert process.stdout is not None
    output = bytearray()
    while piece := await process.stdout.read(65536):
        output += piece
        if len(output) > MAX_OUTPUT:
            raise DidNotEnd("said too much")
    return output.decode(errors="replace")


async def _end(process: Process) -> None:
    """Also when the turn is cancelled in the middle: nothing is left running."""
    with suppress(ProcessLookupError):  # it has ended
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
