"""A backup that only its own key opens, wherever copies of it are.

AES-256-GCM in pieces that can't be left out, swapped, or taken for the last one: STREAM (Hoang,
Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance, CRYPTO 2015), as age has it. A key seals one backup alone, so that counters are
nonces.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.keys import Key, SecretOf

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MARK = b"antiphon sealed backup 1 "
_LONGEST_LINE = 200
_PIECE = 1 << 20
_TAG = 16
_OTHERS = (
    "it was sealed, and what it says is not what was written. Take another one, or look at how it "
    "was copied"
)


@contextmanager
def sealed_to(target: IO[bytes], key: Key) -> Iterator[IO[bytes]]:
    """A file whose content is sealed to ``target``, whole when this ends without an error."""
    head = _head(key.name)
    target.write(head)
    writer = _Sealing(target, _cipher(key.secret), head)
    yield cast(IO[bytes], writer)
    writer.end()
    target.flush()


def key_names(paths: Iterable[Path]) -> Iterator[str]:
    """Of the keys of those of these backups that are sealed. Raises OSError."""
    for path in paths:
        with path.open("rb") as file:
            if file.read(len(_MARK)) == _MARK:
                yield _name(file)


def opened(source: IO[bytes], secret_of: SecretOf) -> IO[bytes]:
    """What a backup says, sealed or not, piece by piece as it is read.

    Raises BackupFailed, here or while it is read; OSError.
    """
    start = source.read(len(_MARK))
    if start != _MARK:
        return cast(IO[bytes], _Rest(start, source))
    name = _name(source)
    opening = _Opening(source, _cipher(secret_of(name)), _head(name))
    return cast(IO[bytes], io.BufferedReader(opening, _PIECE))


def _head(name: str) -> bytes:
    return _MARK + name.encode() + b"\n"


def _name(source: IO[bytes]) -> str:
    return source.readline(_LONGEST_LINE).decode(errors="replace").removesuffix("\n")


def _cipher(key: bytes) -> "AESGCM":
    # Imported when one is sealed: whoever has no keys does not wait for it.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


class _Sealing(io.RawIOBase):
    """Pieces of one size, but for the last one, which is shorter or as long, and may be empty."""

    def __init__(self, target: IO[bytes], cipher: "AESGCM", head: bytes) -> None:
        self._target, self._cipher, self._head = target, cipher, head
        self._number, self._rest = 0, bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self._rest += data
        while len(self._rest) > _PIECE:
            self._put(bytes(self._rest[:_PIECE]), last=False)
            del self._rest[:_PIECE]
        return len(data)

    def end(self) -> None:
        self._put(bytes(self._rest), last=True)

    def _put(self, piece: bytes, *, last: bool) -> None:
        nonce = _nonce(self._number, last=last)
        self._target.write(self._cipher.encrypt(nonce, piece, self._head))
        self._number += 1


class _Opening(io.RawIOBase):
    """Gives nothing that was not found right."""

    def __init__(self, source: IO[bytes], cipher: "AESGCM", head: bytes) -> None:
        self._source, self._cipher, self._head = source, cipher, head
        self._number, self._plain, self._next = 0, b"", b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray, /) -> int:  # type: ignore[override]
        while not self._plain and not self._ended:
            self._plain = self._piece()
        given, self._plain = self._plain[: len(buffer)], self._plain[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)

    def _piece(self) -> bytes:
        from cryptography.exceptions import InvalidTag

        size = _PIECE + _TAG
        sealed = self._next or _full(self._source, size)
        # One piece is read ahead: only what comes after tells whether this is the last one.
        self._next = _full(self._source, size) if len(sealed) == size else b""
        self._ended = not self._next
        nonce = _nonce(self._number, last=self._ended)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, sealed, self._head)
        except (InvalidTag, ValueError):
            raise BackupFailed(_OTHERS) from None


class _Rest(io.RawIOBase):
    """A stream again from its beginning, of which a bit was read."""

    def __init__(self, start: bytes, source: IO[bytes]) -> None:
        self._start, self._source = start, source

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if not self._start:
            return self._source.read(size)
        start, self._start = self._start, b""
        return start if 0 <= size <= len(start) else start + self._source.read(size - len(start))


def _full(source: IO[bytes], size: int) -> bytes:
    """So much, unless the source ends before: pipes give less at a time."""
    found = bytearray()
    while len(found) < size and (piece := source.read(size - len(found))):
        found += piece
    return bytes(found)
