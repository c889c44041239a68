"""Private keys as blocks: from the line that says that one begins to the line that says it ends."""

from collections.abc import Iterator

from antiphon_server.filters.finding.looking import Look
from antiphon_server.filters.finding.shapes import Run, Shape

LONGEST = 8 * 1024
"""Characters of a block; an RSA key of 8,192 bits has 6,400. One without an end is so long."""
_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_LONGEST_LINE = 72
_FIRST_LINE = Shape(
    "private_key",
    (_BEGIN,),
    (Run("A-Z0-9 ", 11, 50), _DASHES),
    lambda line: b"PRIVATE KEY" in line,
)


class PrivateKeys:
    """Looks for private keys in PEM, OpenSSH's and PGP's."""

    longest, before = LONGEST + _LONGEST_LINE, 0

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """Each first line with all up to the last, and one that the text's end may have begun."""
        at = coded.find(_BEGIN, at)
        while at >= 0:
            yield _block(coded, at)
            at = coded.find(_BEGIN, at + 1)
        for start in range(max(at, len(coded) - len(_BEGIN) + 1, 0), len(coded)):
            if _BEGIN.startswith(coded[start:]):
                yield Look(start, 0, True, "")


def _block(coded: bytes, at: int) -> Look:
    _, first, is_open = _FIRST_LINE.read(coded, at, at + len(_BEGIN))
    if not first:
        return Look(at, 0, is_open, "")
    limit = at + LONGEST
    last = coded.find(_END, first, limit)
    if last >= 0:
        dashes = coded.find(_DASHES, last + len(_END), limit + _LONGEST_LINE)
        if dashes >= 0:
            return Look(at, dashes + len(_DASHES), False, _FIRST_LINE.category)
    end = min(len(coded), limit)
    return Look(at, end, len(coded) < limit + _LONGEST_LINE, _FIRST_LINE.category)
