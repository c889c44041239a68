"""Repetition: a message that says the same again and again, as one who floods or is stuck does."""

import zlib
from collections.abc import Sequence

from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.finding.text import Text

LEAST = 500
"""Visible characters below which nothing is called repetition."""
_RATIO = 0.08
"""Prose is packed to 0.35 to 0.55 of its size, code and tables to 0.1 to 0.3."""


class Repetition:
    """Finds that all of a text packs to a thirteenth or less; its score says how much it is.

    It has no longest match, so it can't mask.
    """

    def find(self, text: Text) -> Sequence[Found]:
        """The whole text, or nothing."""
        said = text.folded.value.encode()
        visible = len(b"".join(said.split()))
        if visible < LEAST:
            return []
        ratio = len(zlib.compress(said, 1)) / len(said)
        if ratio > _RATIO:
            return []
        return [Found(0, len(text.original), "repetition", round(1 - ratio, 3))]
