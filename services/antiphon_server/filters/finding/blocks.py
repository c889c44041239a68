"""Private keys as blocks: from the line that says that one begins to the line that says it ends."""

import re
import sys
from collections.abc import Iterator

from antiphon_server.filters.finding.looking import Look
from antiphon_server.filters.finding.shapes import Run, Shape

LEAST = 8 * 1024
"""Characters behind a first line that are the key's whatever they are, up to its end: one of 8,192
bits has 6,400."""
LONGEST = 64 * 1024
"""Of a stream so many are held back for a block, as long as its lines go on."""
_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_LONGEST_LINE = 72
_FIRST_LINE = Shape(
    "private_key",
    (_BEGIN,),
    (Run("A-Z0-9 ", 11, 50), _DASHES),
    lambda line: b"PRIVATE KEY" in line,
)
_WORD = rb"[A-Za-z0-9+/=]*"  # possessive below: nothing is tried again
_LINES = re.compile(_WORD + rb"(?:[ \t>]{0,8}+(?:\r?\n|\\r|\\n)++[ \t>]{0,8}+" + _WORD + rb"+)*+")
"""Lines of base64, also as JSON or a quotation has them."""
_PARTED = re.compile(rb"[ \t>]{0,8}[\r\\]?")
"""What parts them, begun."""


class PrivateKeys:
    """Looks for private keys in PEM, OpenSSH's and PGP's.

    Each has `LONGEST` characters at most, or, of a ``whole`` text, as many as it has.
    """

    before = 0

    def __init__(self, whole: bool = False) -> None:
        self._whole, self._most = whole, sys.maxsize // 2 if whole else LONGEST
        self.longest = self._most + _LONGEST_LINE

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """Each first line with all up to the last, and one that the text's end may have begun."""
        at = coded.find(_BEGIN, at)
        while at >= 0:
            block = self._block(coded, at)
            yield block
            at = coded.find(_BEGIN, max(at + 1, block.end if self._whole else 0))
        for start in range(max(at, len(coded) - len(_BEGIN) + 1, 0), len(coded)):
            if _BEGIN.startswith(coded[start:]):
                yield Look(start, 0, True, "")

    def _block(self, coded: bytes, at: int) -> Look:
        _, first, is_open = _FIRST_LINE.read(coded, at, at + len(_BEGIN))
        if not first:
            return Look(at, 0, is_open, "")
        last = _last_line(coded, first, at + LEAST)
        end = last or self._lines_end(coded, at)
        if not last and end < at + self._most:
            last = _last_line(coded, end, end + 1)
            is_open = not last and _may_go_on(coded, end, at + LEAST)
        return Look(at, last or end, is_open, _FIRST_LINE.category)

    def _lines_end(self, coded: bytes, at: int) -> int:
        """Where the lines of a block end that begins there and has no last one so far."""
        lines = _LINES.match(coded, at + LEAST, at + self._most)
        return lines.end() if lines and lines.end() > at + LEAST else min(len(coded), at + LEAST)


def _may_go_on(coded: bytes, end: int, least: int) -> bool:
    """Whether what follows the text may make more lines, or be the last one."""
    rest = coded[end:]
    if len(rest) >= _LONGEST_LINE:
        return False
    if end < least + _LONGEST_LINE:  # the last one may have begun before
        return True
    return bool(_PARTED.fullmatch(rest)) or rest.startswith(_END) or _END.startswith(rest)


def _last_line(coded: bytes, at: int, limit: int) -> int:
    """Where the line ends that says that a block does, if it begins before ``limit``; else 0."""
    last = coded.find(_END, at, limit + len(_END) - 1)
    if last < 0:
        return 0
    dashes = coded.find(_DASHES, last + len(_END), last + _LONGEST_LINE)
    return dashes + len(_DASHES) if dashes >= 0 else 0
