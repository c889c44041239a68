"""A file of SHA-1 hashes as Have I Been Pwned offers it for download.

Each line is a hash of 40 upper-case hexadecimal digits, a colon and how often it was seen;
they are sorted by hash. It has about a billion lines, so a look-up reads some thirty of them
and keeps nothing.
"""

import os
import re
from pathlib import Path

_LINE = re.compile(rb"([0-9A-F]{40})(:\d+)?\r?\n?")
_LONGEST = 64  # bytes of a line: a hash, a colon, a count, an end
_SAMPLES = 1_000


class UnusableHashFileError(Exception):
    """The file of breached passwords is not what it should be."""


class HashFile:
    """Finds hashes in the file; nothing is kept open between two look-ups."""

    def __init__(self, path: Path) -> None:
        """Raise UnusableHashFileError if the file can't be read, or is not sorted by hash."""
        self._path = path
        try:
            self._examine()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise UnusableHashFileError(
                f"the list of breached passwords {path} can't be used: {why}. It must have lines "
                "as HASH:COUNT, SHA-1 in upper case, sorted by hash; without "
                "ANTIPHON_BREACHED_PASSWORDS_FILE the built-in list is used alone"
            ) from error

    def contains(self, digest: str) -> bool:
        """Whether the hash, in upper case, is in the file. Raises OSError, ValueError."""
        wanted = digest.encode()
        with self._path.open("rb", buffering=0) as file:
            low, high = 0, os.fstat(file.fileno()).st_size
            while low < high:  # the wanted line, if there is one, begins in [low, high)
                middle = (low + high) // 2
                start, end, found = _line(file.fileno(), middle)
                if found == wanted:
                    return True
                if found < wanted:
                    low = end
                else:
                    high = start
        return False

    def _examine(self) -> None:
        """Look at lines from the first to the last: a file in another order would find nothing."""
        with self._path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                raise ValueError("it is empty")
            places = sorted({size * number // _SAMPLES for number in range(_SAMPLES)} | {size - 1})
            before = b""
            for place in places:
                _, _, found = _line(file.fileno(), place)
                if found < before:
                    raise ValueError("it is not sorted by hash")
                before = found


def _line(file: int, place: int) -> tuple[int, int, bytes]:
    """The line that the byte at ``place`` is in: where it begins and ends, and its hash."""
    begin = max(0, place - _LONGEST)
    piece = os.pread(file, 2 * _LONGEST + 1, begin)
    start = piece.rfind(b"\n", 0, place - begin) + 1
    end = piece.find(b"\n", place - begin) + 1 or len(piece)
    line = _LINE.fullmatch(piece, start, end)
    if line is None:
        raise ValueError(f"at byte {begin + start} there is no such line")
    return begin + start, begin + end, line[1]
