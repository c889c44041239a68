"""A wall clock of a server's process that can be made to jump, as by an administrator or NTP.

The server reads the wall clock by ``time.time`` and ``time.time_ns`` alone, so these are what
jumps in its process (:mod:`tests.proofs.robustness.odd_server`); the monotonic clock goes on.
libfaketime is no way: it hides the true clock from gRPC's threads too, but not from the
kernel that they wait in, so that their timers go wrong as no real clock makes them.
"""

import mmap
import struct
import time
from pathlib import Path

VARIABLE = "RIG_CLOCK"
_OFFSET = struct.Struct("d")


class Clock:
    """The hand on the clock: give ``variables`` to the process, in which jumps show at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_OFFSET.pack(0.0))

    @property
    def variables(self) -> dict[str, str]:
        """The environment under which the process's clock can jump."""
        return {VARIABLE: str(self._file)}

    def jump(self, offset_s: float) -> None:
        """Be ``offset_s`` before (or behind, if negative) the true time from now on."""
        with self._file.open("r+b") as file:
            file.write(_OFFSET.pack(offset_s))


def obey(file: Path) -> None:
    """Let this process's wall clock follow the hand. To be called before anything reads it."""
    with file.open("rb") as opened:
        offset = mmap.mmap(opened.fileno(), _OFFSET.size, access=mmap.ACCESS_READ)
    true, true_ns = time.time, time.time_ns
    time.time = lambda: true() + float(_OFFSET.unpack_from(offset)[0])
    time.time_ns = lambda: true_ns() + int(_OFFSET.unpack_from(offset)[0] * 1e9)
