"""A folder of backups: what is in it under its name is whole."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.runtime.storage.ownership import first_not_ours, group_of, user_of

_NAME = "antiphon-%Y%m%dT%H%M%SZ.tar"
SEALED = ".sealed"
"""What the names of backups end with that only their keys open."""
_PLAIN = "antiphon-????????T??????Z.tar"
_ALL = (_PLAIN, _PLAIN + SEALED)


class Shelf:
    """What is written is ``part`` until it is whole; ``content`` is what it is made of."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.part = folder / "antiphon.tar.part"
        self.content = folder / "antiphon.content.part"

    def put(self, suffix: str = "") -> Path:
        """Give the part its name, by which it is found from now on."""
        path = self._free(suffix)
        while path.exists():  # two in one second: neither takes the other's place
            time.sleep(0.1)
            path = self._free(suffix)
        sync(self.part)
        self.part.rename(path)
        sync(self._folder)
        return path

    def beyond(self, most: int, newest: Path) -> list[Path]:
        """The oldest ones but for so many, ``newest`` among them; none if ``most`` is 0."""
        found = [path for name in _ALL for path in self._folder.glob(name)]
        others = sorted(path for path in found if path != newest)
        return others[: max(0, len(others) + 1 - most)] if most else []

    def _free(self, suffix: str) -> Path:
        return self._folder / (datetime.now(UTC).strftime(_NAME) + suffix)

    def clear(self) -> None:
        """Remove what is no backup yet, and what SQLite had beside it."""
        for path in (self.part, *self._folder.glob(f"{self.content.name}*")):
            path.unlink(missing_ok=True)


@contextmanager
def shelf_in(folder: Path) -> Iterator[Shelf]:
    """The folder for one process, made (mode 0700) if it is missing. Raises BackupFailed."""
    with taken(folder):
        shelf = Shelf(folder)
        shelf.clear()  # of one that was killed
        try:
            yield shelf
        finally:
            shelf.clear()


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Make a folder (mode 0700) if it is missing, and keep other backups out of it.

    Raises BackupFailed.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise BackupFailed(_no_folder(folder, error)) from error
    try:
        _take(folder, handle)
        yield
    finally:
        os.close(handle)


@contextmanager
def passing_shelf_in(folder: Path) -> Iterator[Shelf]:
    """A folder for one that comes or goes, removed in the end. Raises BackupFailed."""
    try:
        with shelf_in(folder) as shelf:
            yield shelf
    finally:
        with suppress(OSError):  # another one uses it
            folder.rmdir()


def privately(path: str, flags: int) -> int:
    """An ``opener`` of files that are their owner's alone, whatever the umask."""
    return os.open(path, flags, 0o600)


def sync(path: Path) -> None:
    """Return when a file or a folder is on disk as it is."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take(folder: Path, handle: int) -> None:
    """Keep other processes out until the handle is closed."""
    if whose := first_not_ours([folder]):
        raise BackupFailed(whose)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BackupFailed(f"{folder}: another backup is being made there") from error


def _no_folder(folder: Path, error: OSError) -> str:
    user, group = user_of(os.geteuid()), group_of(os.getegid())
    return (
        f"{folder}: {error.strerror}. Make it, as root: "
        f"`install -d -m 700 -o {user} -g {group} {folder}`"
    )
