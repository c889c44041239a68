"""Which stretch of a long text shows best why it was found, and which of its words."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from antiphon_server.memory.index.analysis import LANGUAGES, Analyzer
from antiphon_server.memory.index.words import words
from antiphon_server.memory.model import Excerpt

LONGEST = 400
"""Of an excerpt, in characters."""
LOOKED_AT = 100_000
"""Of a text, in characters: what is behind that is not shown."""
_LEAD = 60
_ELLIPSIS = "…"
_WORD = re.compile(r"[^\W_]+")

Stretch = tuple[int, int]


class Excerpts:
    """Cuts excerpts. Not thread-safe."""

    def __init__(self) -> None:
        self._analyzer = Analyzer()

    def of(self, query: str, texts: Sequence[str]) -> list[Excerpt]:
        """The excerpt of each text; one that has no word of the query shows its beginning."""
        asked = words(query)
        language = self._analyzer.language(asked, "")
        variants = self._analyzer.variants(asked, language, LANGUAGES)
        wanted = {term for terms in variants for term in terms}
        return [self._one(wanted, language, text) for text in texts]

    def _one(self, wanted: Collection[str], language: str, text: str) -> Excerpt:
        line = " ".join(unicodedata.normalize("NFC", text[:LOOKED_AT]).split())
        found = list(self._matches(wanted, language, line))
        start, end = _window(line, found)
        before = _ELLIPSIS if start else ""
        after = _ELLIPSIS if end < len(line) else ""
        moved = len(before) - start
        inside = [(a + moved, b + moved) for a, b in found if a >= start and b <= end]
        return Excerpt(before + line[start:end] + after, inside)

    def _matches(self, wanted: Collection[str], language: str, line: str) -> Iterator[Stretch]:
        spoken = self._analyzer.language(words(line[:2000]), language)
        for word in _WORD.finditer(line):
            pieces = words(word.group())
            if pieces[1:]:  # written without spaces
                yield from _pieces(wanted, word)
            elif not self._analyzer.terms(pieces, spoken).keys().isdisjoint(wanted):
                yield word.span()


def _pieces(wanted: Collection[str], word: re.Match[str]) -> Iterator[Stretch]:
    """The stretches of a run without spaces that are wanted, those that overlap as one."""
    at: Stretch | None = None
    for start in range(word.start(), word.end() - 1):
        if word.string[start : start + 2].lower() not in wanted:
            continue
        if at is not None and start <= at[1]:
            at = at[0], start + 2
            continue
        if at is not None:
            yield at
        at = start, start + 2
    if at is not None:
        yield at


def _window(line: str, found: Sequence[Stretch]) -> Stretch:
    """The stretch with most of what was found, of ``LONGEST`` characters with its ellipses."""
    if len(line) <= LONGEST:
        return 0, len(line)
    room = LONGEST - 2 * len(_ELLIPSIS)
    best, most, last = 0, 0, 0
    for first, (start, _) in enumerate(found):
        while last < len(found) and found[last][1] - start <= room - _LEAD:
            last += 1
        if last - first > most:
            best, most = start, last - first
    start = min(max(best - _LEAD, 0), len(line) - room)
    if start:
        start = line.rfind(" ", start - 1, best + 1) + 1 or start
    end = min(start + room, len(line))
    if end < len(line):
        end = max(line.rfind(" ", start, end), start) or end
    return start, end
