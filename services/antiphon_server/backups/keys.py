"""Keys of backups: one for each, in a folder of the operator's. Without it a backup is noise."""

import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
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
        """A new key, which goes again if this ends with an error. Raises OSError."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        key = Key(name, secrets.token_bytes(_KEY_BYTES))
        try:
            with open(self._part(name), "xb", opener=privately) as file:
                file.write(key.secret)
            sync(self._part(name))
            yield key
        except BaseException:
            for path in (self._part(name), self._path(name)):
                _destroy(path)
            raise

    def publish(self, key: Key) -> None:
        """Give it the name by which it is found from now on, before its backup has one."""
        self._part(key.name).rename(self._path(key.name))
        sync(self._folder)

    def secret_of(self, name: str) -> bytes:
        """Of the key of this name. Raises BackupFailed if it is not there any more; OSError."""
        path = self._path(name)
        if not _NAME.fullmatch(name) or not path.exists():
            raise BackupFailed(
                f"it is sealed by the key {name!r}, which is not in {self._folder}: if it was "
                "destroyed nobody can open this backup; else say where it is by --keys"
            )
        secret = path.read_bytes()
        if len(secret) != _KEY_BYTES:
            raise BackupFailed(f"{path} is no key: it has {len(secret)} bytes of {_KEY_BYTES}")
        return secret

    def destroy(self, names: Iterable[str]) -> int:
        """Those of them that are there; returns how many these are."""
        there = [it for it in names if _NAME.fullmatch(it) and self._path(it).exists()]
        for name in there:
            _destroy(self._path(name))
        sync(self._folder)
        return len(there)

    def clear(self) -> None:
        """Destroy keys of backups that were not made."""
        for path in self._folder.glob(f"*{_PART}"):
            if _NAME.fullmatch(path.name.removesuffix(_PART)):
                _destroy(path)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _part(self, name: str) -> Path:
        return self._folder / f"{name}{_PART}"


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
