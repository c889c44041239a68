"""Repetition: a message that says the same again and again, as one who floods or is stuck does."""

import re
import zlib
from collections.abc import Iterator
from itertools import islice

from antiphon_server.filters.finding.model import Found, Stepping
from antiphon_server.filters.finding.text import Text

LEAST = 500
"""Visible characters below which nothing is called repetition."""
_VISIBLE = re.compile(rb"\S")
_RATIO = 0.08
"""Prose is packed to 0.35 to 0.55 of its size, code and tables to 0.1 to 0.3."""


class Repetition(Stepping):
    """Finds that all of a text packs to a thirteenth or less; its score says how much it is.

    It has no longest match, so it can't mask.
    """

    def steps(self, text: Text) -> Iterator[Found | None]:
        """The whole text, or nothing."""
        yield from text.folding()
        said = text.folded.value.encode()
        if sum(1 for _ in islice(_VISIBLE.finditer(said), LEAST)) < LEAST:
            return
        ratio = len(zlib.compress(said, 1)) / len(said)
        if ratio <= _RATIO:
            yield Found(0, len(text.original), "repetition", round(1 - ratio, 3))
