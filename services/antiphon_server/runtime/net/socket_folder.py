"""A folder for sockets: their paths have to be short, so it is not where data is."""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

YOUNG_S = 60.0
"""So long nobody takes a folder for one that was left behind: its owner may be locking it."""


class SocketFolder:
    """A folder for the sockets of this process, locked as long as it lives.

    What a process that was killed left behind, the next one of the same ``prefix`` takes away.
    """

    def __init__(self, prefix: str) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            _clear(left)
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._lock: int | None = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Take it away, with all that is in it."""
        lock, self._lock = self._lock, None
        if lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(lock)


def _clear(folder: Path) -> None:
    """Remove it if it is this user's, and nobody's any more."""
    with suppress(OSError):  # somebody else does so, or has it
        lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
        try:
            found = os.fstat(lock)
            if found.st_uid == os.geteuid() and found.st_mtime < time.time() - YOUNG_S:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
