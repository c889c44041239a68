"""Who uses the server of a data directory: each holds a lock, which goes with its process."""

import asyncio
import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

GUESTS_FILE = "guests.lock"


@contextlib.contextmanager
def present(data_dir: Path) -> Iterator[None]:
    """Be a guest for the time of the block."""
    with (data_dir / GUESTS_FILE).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


async def any_present(data_dir: Path) -> bool:
    """Whether there is a guest. It asks the disk, so it asks in a thread."""
    return await asyncio.to_thread(_locked, data_dir)


def _locked(data_dir: Path) -> bool:
    with (data_dir / GUESTS_FILE).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
