"""What each character becomes in a normal form: by itself, whatever stands beside it.

So a text's normal form grows with it and never changes where it was, and no sequence of marks
takes longer than its length: composing or ordering them would.
"""

import re
import unicodedata

from antiphon_server.filters.finding.homoglyphs import HOMOGLYPHS

MOST_KEPT = 16_384
"""Characters that a table keeps."""
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n\v\f\r"})
_UNSEEN = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0"
    r"\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Those that Unicode says are ignored where they are not known, beside formats (Cf)."""
_ACCENTS = re.compile(
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    r"\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
"""Marks without which a word is the same to hurried eyes, in scripts that have such."""
_BLANK = {"\x85": "\n", "\u2028": "\n", "\u2029": "\n", "\u2800": " "}


def plain(text: str) -> bool:
    """Whether it is its own normal form: ASCII without control characters."""
    if not text.isascii():
        return False
    return len(text.encode().translate(None, _CONTROLS)) == len(text)


class _Table(dict[str, str]):
    """What characters become, kept for the next time; ``folded``: small letters."""

    def __init__(self, folded: bool) -> None:
        self._folded = folded

    def __missing__(self, character: str) -> str:
        pieces = unicodedata.normalize("NFKD", character)
        made = "".join(_seen(it, self._folded) for it in pieces)
        if len(self) < MOST_KEPT:
            self[character] = made
        return made


NORMAL = _Table(folded=False)
FOLDED = _Table(folded=True)


def _seen(it: str, folded: bool) -> str:
    it = _BLANK.get(it, it)
    if it.isascii():
        return "" if it.encode() in _CONTROLS else _ascii(it, folded)
    kind = unicodedata.category(it)
    if kind in ("Cf", "Cc", "Me") or _UNSEEN.match(it) or _ACCENTS.match(it):
        return ""
    if kind == "Nd":
        return str(unicodedata.decimal(it))
    if kind in ("Zs", "Pd"):
        return " " if kind == "Zs" else "-"
    return _small(it) if folded else HOMOGLYPHS.get(it, it)


def _ascii(it: str, folded: bool) -> str:
    return (" " if it.isspace() else it.lower()) if folded else it


def _small(it: str) -> str:
    """As its other form looks, if it looks like none: a large Ve is like B, so a small one is b."""
    alike = HOMOGLYPHS.get(it) or HOMOGLYPHS.get(it.swapcase())
    return alike.lower() if alike else it.casefold()
