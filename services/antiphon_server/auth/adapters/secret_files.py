"""Files that only their owner can read."""

import contextlib
import os
import stat
from pathlib import Path

OPERATOR_FILE = "operator.key"
"""In a data folder: the key of whoever can read it."""
PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
_LONGEST = 4096


class ExposedFileError(Exception):
    """A file of secrets can be read by others, or is no file."""


class PrivateFile:
    """A :class:`~antiphon_server.auth.ports.SecretFile` on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        try:
            return read_private(self._path).decode("ascii").strip()
        except (OSError, ExposedFileError, UnicodeDecodeError):
            return None

    def write(self, secret: str) -> None:
        write_private(self._path, f"{secret}\n".encode("ascii"))


def read_private(path: Path) -> bytes:
    """The file's content.

    Raises OSError if it can't be read, ExposedFileError if others could read or
    change it, or if it is a link, a device or far too long.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        exposed = stat.S_IMODE(status.st_mode) & 0o077
        strange = not stat.S_ISREG(status.st_mode) or status.st_size > _LONGEST
        if exposed or strange or status.st_uid not in (os.geteuid(), 0):
            raise ExposedFileError(f"{path} must be a file that only its owner can read: chmod 600")
        return file.read()


def write_private(path: Path, content: bytes) -> None:
    """Replace the file, all or nothing, so that it is on disk when this returns."""
    _beside(path, content).replace(path)
    _sync_directory(path.parent)


def create_private(path: Path, content: bytes) -> None:
    """Make the file unless it exists, even if two processes do so at once."""
    fresh = _beside(path, content)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()
    _sync_directory(path.parent)


def _beside(path: Path, content: bytes) -> Path:
    make_private_directory(path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()  # left behind by a crash
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(fresh, flags, PRIVATE_FILE), "wb") as file:
        os.fchmod(file.fileno(), PRIVATE_FILE)  # whatever the umask
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def make_private_directory(path: Path) -> None:
    """Make the directory and its missing parents; a directory that exists stays as it is."""
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
