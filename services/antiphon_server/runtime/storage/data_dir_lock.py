"""The data directory: private, and one process's at a time."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from antiphon_server.runtime.storage.ownership import first_not_ours

LOCK_FILE = "lock"
_LOOK_S = 0.05
"""Behind who only looks whether it is taken, which takes no longer."""
_ANOTHER = "choose another with --data-dir"


class DataDirUnusable(Exception):
    """The directory can't be used; the message says why and what to do."""


class InUse(DataDirUnusable):
    """Another process has it, perhaps for a moment longer."""


def unusable(path: Path, error: OSError) -> DataDirUnusable:
    """What is said where the directory can't be written."""
    for each in (path, *path.parents):
        if each.exists() and not each.is_dir():
            return DataDirUnusable(f"{each}: this is a file, no folder; {_ANOTHER}")
    whose = first_not_ours((path / LOCK_FILE, path))
    return DataDirUnusable(whose or f"{path}: {error.strerror}; {_ANOTHER}")


@contextmanager
def exclusive(path: Path) -> Iterator[Path]:
    """Make the directory, mode 0700, and keep other processes out for the block's time.

    The lock is the kernel's: it goes with the process, however that ends. Raises
    InUse if another process has it, DataDirUnusable if it can't be written.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable(path, error) from error
    try:
        try:
            _lock(handle)
        except BlockingIOError as error:
            message = f"{path}: another server uses it; stop that one or choose another --data-dir"
            raise InUse(message) from error
        yield path
    finally:
        os.close(handle)


def is_taken(path: Path) -> bool:
    """Whether a process has the directory now: a server that runs, starts or ends."""
    try:
        handle = os.open(path / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _lock(handle: int) -> None:
    """Raises BlockingIOError if another has it, and not only looks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(_LOOK_S)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
