"""Which stretch of a long text shows best why it was found, and which of its words."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from antiphon_server.memory.index.analysis import LANGUAGES, Analyzer
from antiphon_server.memory.index.words import words
from antiphon_server.memory.model import Excerpt

LONGEST = 400
"""Of an excerpt, in characters."""
LOOKED_AT = 20_000
"""Of a text, in characters: what is behind that is not shown. It takes some 5 ms to look at."""
_LEAD = 60
_ELLIPSIS = "…"
_WORD = re.compile(r"[^\W_]+")
_SPOKEN_BY = 2000

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
        found = [self._one(wanted, language, text) for text in texts]
        self._analyzer.forget()  # what is erased later must not be left here
        return found

    def _one(self, wanted: Collection[str], language: str, text: str) -> Excerpt:
        line = " ".join(unicodedata.normalize("NFC", text[:LOOKED_AT]).split())
        found = list(self._matches(wanted, language, line))
        start, end = _window(line, found)
        before = _ELLIPSIS if start else ""
        after = _ELLIPSIS if end < len(line) or len(text) > LOOKED_AT else ""
        moved = len(before) - start
        inside = [(a + moved, b + moved) for a, b in found if a >= start and b <= end]
        return Excerpt(before + line[start:end] + after, inside)

    def _matches(self, wanted: Collection[str], language: str, line: str) -> Iterator[Stretch]:
        spoken = self._analyzer.language(words(line[:_SPOKEN_BY]), language)
        for word in _WORD.finditer(line):
            pieces = words(word.group())
            if pieces[1:]:  # written without spaces, or a part of it
                yield from _in_run(wanted, word)
            elif not self._analyzer.terms(pieces, spoken).keys().isdisjoint(wanted):
                yield word.span()


def _in_run(wanted: Collection[str], run: re.Match[str]) -> Iterator[Stretch]:
    """The stretches of a run without spaces that are wanted, those that touch as one."""
    start = end = -1
    for piece, first in _pieces(run.group()):
        if piece not in wanted:
            continue
        if first > end:
            if end >= 0:
                yield run.start() + start, run.start() + end
            start = first
        end = first + len(piece)
    if end >= 0:
        yield run.start() + start, run.start() + end


def _pieces(run: str) -> Iterator[tuple[str, int]]:
    """What the index makes of a run, each with its place; pairs of characters overlap."""
    lower, at = run.lower(), 0
    if len(lower) != len(run):  # places in it would not be those in the run
        return
    for piece in words(run):
        found = lower.find(piece, at)
        if found >= 0:
            yield piece, found
            at = found + 1


def _window(line: str, found: Sequence[Stretch]) -> Stretch:
    """The stretch with most of what was found, of ``LONGEST`` characters with its ellipses."""
    if len(line) <= LONGEST - len(_ELLIPSIS):
        return 0, len(line)
    room = LONGEST - 2 * len(_ELLIPSIS)
    best, most, last = 0, 0, 0
    for first, (start, _) in enumerate(found):
        while last < len(found) and found[last][1] - start <= room - _LEAD:
            last += 1
        if last - first > most:
            best, most = start, last - first
    start = min(max(best - _LEAD, 0), len(line) - room)
    if start:  # at the first word that is whole
        start = line.find(" ", start - 1, min(start + _LEAD, best or start)) + 1 or start
    end = min(start + room, len(line))
    if end < len(line):  # behind the last one, unless that would cut off much
        end = max(line.rfind(" ", end - _LEAD, end + 1), 0) or end
    return start, end
