"""Keys of backups: one for each, in a folder of the operator's. Without it a backup is noise."""

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.shelf import privately, sync, taken

_KEY_BYTES = 32
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
_SUFFIX, _PART = ".key", ".key.part"


class Key(NamedTuple):
    """A key that seals one backup; the backup says its name."""

    name: str
    secret: bytes


SecretOf = Callable[[str], bytes]
"""Finds the secret of the key of a name. Raises BackupFailed, OSError."""


def no_key(name: str) -> bytes:
    """Where no keys are. Raises BackupFailed."""
    raise BackupFailed(f"it is sealed by the key {name!r}: say by --keys in which folder that is")


def secrets_in(folder: Path | None) -> SecretOf:
    """What finds them in a folder, if there is one."""
    return no_key if folder is None else KeyFolder(folder).secret_of


class KeyFolder:
    """``NAME.key`` for each backup that can be opened; ``.part`` while one is made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def new(self) -> Iterator[Key]:
        """A new key, kept if this ends without an error. Raises OSError."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        key = Key(name, secrets.token_bytes(_KEY_BYTES))
        part = self._folder / f"{name}{_PART}"
        try:
            with open(part, "xb", opener=privately) as file:
                file.write(key.secret)
            sync(part)
            yield key
            part.rename(self._folder / f"{name}{_SUFFIX}")
            sync(self._folder)
        finally:
            _destroy(part)

    def secret_of(self, name: str) -> bytes:
        """Of the key of this name. Raises BackupFailed if it is not there any more; OSError."""
        path = self._folder / f"{name}{_SUFFIX}"
        if not _NAME.fullmatch(name) or not path.exists():
            raise BackupFailed(
                f"it is sealed by the key {name!r}, which is not in {self._folder}: if it was "
                "destroyed nobody can open this backup; else say where it is by --keys"
            )
        secret = path.read_bytes()
        if len(secret) != _KEY_BYTES:
            raise BackupFailed(f"{path} is no key: it has {len(secret)} bytes of {_KEY_BYTES}")
        return secret

    def keep(self, most: int, newest: Key) -> int:
        """Destroy the oldest but for so many, ``newest`` among them; returns how many."""
        others = [it for it in self._all(_SUFFIX) if it.name != f"{newest.name}{_SUFFIX}"]
        gone = others[: max(0, len(others) + 1 - most)]
        for path in gone:
            _destroy(path)
        sync(self._folder)
        return len(gone)

    def clear(self) -> None:
        """Destroy keys of backups that were not made."""
        for path in self._all(_PART):
            _destroy(path)

    def _all(self, suffix: str) -> list[Path]:
        found = self._folder.glob(f"*{suffix}")
        return sorted(it for it in found if _NAME.fullmatch(it.name.removesuffix(suffix)))


@contextmanager
def key_folder(folder: Path, *apart: Path) -> Iterator[KeyFolder]:
    """The folder for one process, made (mode 0700) if it is missing.

    Raises BackupFailed for one that is in, or around, one of the folders ``apart``: what goes
    together with a backup, or with the data, is no key.
    """
    for other in apart:
        one, two = folder.resolve(), other.resolve()
        if one.is_relative_to(two) or two.is_relative_to(one):
            raise BackupFailed(
                f"{folder}: keys have to be elsewhere than {other}, best on another disk: who has "
                "both needs no key, and who loses both has no backup"
            )
    with taken(folder):
        keys = KeyFolder(folder)
        keys.clear()
        yield keys


def _destroy(path: Path) -> None:
    """Overwrite it first: a file's room keeps what was in it until that is used again."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        file.write(bytes(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
