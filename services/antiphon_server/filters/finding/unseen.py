"""What nobody sees and what does something: turns text, steers terminals, hides what is said."""

import re
from collections.abc import Iterator

from antiphon_server.filters.finding.model import Found

_FLAG = "\U0001f3f4"
_SUSPECT = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufe00-\ufe0f\U0001f3f4"
    r"\U000e0000-\U000e01ef]"
)
_KINDS = re.compile(
    r"(?P<fine>\U0001f3f4(?:[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f)?)"
    r"|(?P<escape>\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)"
    r"|\x1b[ -/]{0,3}[0-Z\\^-~])"
    r"|(?P<bidi>[\u202a-\u202e\u2066-\u2069])"
    r"|(?P<invisible>[\U000e0000-\U000e007f]|(?<=[\ufe00-\ufe0f\U000e0100-\U000e01ef])"
    r"[\ufe00-\ufe0f\U000e0100-\U000e01ef])"
    r"|(?P<fine_alone>[\ufe00-\ufe0f\U000e0080-\U000e01ef])"
    r"|(?P<control>.)",
    re.DOTALL,
)
_UNFINISHED = re.compile(
    r"(?:\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|\][^\x07\x1b]{0,256}\x1b?|[ -/]{0,3})"
    r"|\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{0,6})\Z"
)
_LONGEST = 300
_FINE = ("fine", "fine_alone")
_WEIGHTS = {"\u202d": 1.0, "\u202e": 1.0}
_EMBEDDING = 0.5
"""Texts in two directions have embeddings and isolates, too; overrides nobody needs."""


def unseen(said: str) -> Iterator[Found]:
    """Each by itself; flags of regions and one variation of a character are none."""
    suspect = _SUSPECT.search(said)
    while suspect:
        match = _KINDS.match(said, suspect.start())
        assert match  # the last kind is any character
        kind = match.lastgroup or ""
        if kind not in _FINE:
            score = _WEIGHTS.get(match[0], _EMBEDDING) if kind == "bidi" else 1.0
            yield Found(*match.span(), kind, score)
        suspect = _SUSPECT.search(said, match.end())


def unseen_begins(said: str) -> int:
    """Where a sequence or a flag begins that isn't over; the end, if none does."""
    tail = max(0, len(said) - _LONGEST)
    starts = (said.rfind(it, tail) for it in ("\x1b", _FLAG))
    return min((it for it in starts if it >= 0 and _UNFINISHED.match(said, it)), default=len(said))
