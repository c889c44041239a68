"""Payloads: what is meant for a browser, a terminal or a compiler, not for who reads it.

They are looked for in what was said, not in its normal form: none of them would take the one for
the other.
"""

from collections.abc import Iterator, Sequence

from antiphon_server.filters.finding.markup import active_tags, active_urls, markup_begins
from antiphon_server.filters.finding.model import Found, Stepping
from antiphon_server.filters.finding.text import Text
from antiphon_server.filters.finding.unseen import unseen, unseen_begins


class Payloads(Stepping):
    """Finds active markup and URLs, terminal sequences, controls, and what turns or hides text."""

    longest, before = 512, 16

    def steps(self, text: Text) -> Iterator[Found | None]:
        """Their positions are as they stand."""
        coded = text.original.encode("latin-1", "replace")
        yield from active_tags(coded)
        yield from active_urls(coded)
        if not text.is_plain:
            yield from unseen(text.original)

    def look(self, text: Text) -> tuple[Sequence[Found], int]:
        """See :meth:`Bounded.look`."""
        return self.find(text), self._undecided(text)

    def _undecided(self, text: Text) -> int:
        """Where a tag, a URL or a sequence is that isn't over yet."""
        coded = text.original.encode("latin-1", "replace")
        return min(markup_begins(coded), unseen_begins(text.original))
