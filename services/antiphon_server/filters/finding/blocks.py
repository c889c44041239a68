"""Private keys as blocks: from the line that says that one begins to the line that says it ends."""

import re
import sys
from collections.abc import Iterator

from antiphon_server.filters.finding.looking import Look
from antiphon_server.filters.finding.shapes import Run, Shape

LEAST = 8 * 1024
"""Characters behind a first line that are the key's whatever they are, up to its end: one of 8,192
bits has 6,400."""
KEPT = 6 * 1024
"""Characters of a block that goes on that are kept behind what can be spared of it: more than any
other finder's longest match."""
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
_WITHIN, _BEHIND = re.compile(rb"[A-Za-z0-9+/=]{2}"), re.compile(rb"\n|\\[rn]")
"""Two characters of a line, behind which one is within it; what parts lines, where it is whole."""
_PARTED = re.compile(rb"[ \t>]{0,8}[\r\\]?")
"""What parts them, begun."""


class PrivateKeys:
    """Looks for private keys in PEM, OpenSSH's and PGP's, of any length.

    What is streamed holds no more of one for it than some 15,000 characters: see `spare`.
    """

    longest, before = sys.maxsize // 2, 0

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """Each first line with all up to the last, and one that the text's end may have begun."""
        yield from _blocks(coded, at)
        for start in range(max(at, len(coded) - len(_BEGIN) + 1, 0), len(coded)):
            if _BEGIN.startswith(coded[start:]):
                yield Look(start, 0, True, "")

    def spare(self, coded: bytes) -> tuple[int, int] | None:
        """From where to where a block that goes on can be left out: it ends where it did.

        What is before and behind is either within a line, or behind what parts two.
        """
        for it in _blocks(coded, 0):
            first, last = it.start + LEAST + _LONGEST_LINE, it.end - KEPT
            if it.open and first < last - _LONGEST_LINE:
                return _middle(coded, first, last)
        return None


def _blocks(coded: bytes, at: int) -> Iterator[Look]:
    at = coded.find(_BEGIN, at)
    while at >= 0:
        block = _block(coded, at)
        yield block
        at = coded.find(_BEGIN, max(at + 1, block.end - _LONGEST_LINE))  # its end may begin one


def _block(coded: bytes, at: int) -> Look:
    _, first, is_open = _FIRST_LINE.read(coded, at, at + len(_BEGIN))
    if not first:
        return Look(at, 0, is_open, "")
    last = _last_line(coded, first, at + LEAST)
    end = last or _lines_end(coded, at)
    if not last:
        last = _last_line(coded, end, end + 1)
        is_open = not last and _may_go_on(coded, end, at + LEAST)
    return Look(at, last or end, is_open, _FIRST_LINE.category)


def _lines_end(coded: bytes, at: int) -> int:
    """Where the lines of a block end that begins there and has no last one so far."""
    lines = _LINES.match(coded, at + LEAST)
    return lines.end() if lines and lines.end() > at + LEAST else min(len(coded), at + LEAST)


def _middle(coded: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The longest part between two places of one kind."""
    found = []
    for kind in (_WITHIN, _BEHIND):
        first = kind.search(coded, start, end)
        lasts = [it.end() for it in kind.finditer(coded, end - _LONGEST_LINE, end)]
        if first and lasts and first.end() < lasts[-1]:
            found.append((first.end(), lasts[-1]))
    return max(found, key=lambda it: it[1] - it[0], default=None)


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
