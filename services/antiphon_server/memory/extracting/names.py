"""Finds names in what somebody said: those of facts, and those that are known already."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from antiphon_server.memory.extracting.model import Candidate

MOST = 32
"""Of one message."""
READ = 20_000
"""Characters of a message."""
LONGEST = 64
_SORTS: Mapping[str, str] = {
    "lives_in": "place",
    "origin": "place",
    "works_at": "organisation",
    "child": "person",
    "partner": "person",
    "relative": "person",
    "pet": "other",
}
"""What the names in a fact of a slot are. Others' values are too often no names: German nouns."""
_SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Named:
    """A name at a place of a text, in code points; of which ``sort``, if a fact tells."""

    name: str
    sort: str
    start: int
    end: int
    confidence: float


def names_of_facts(text: str, facts: Sequence[Candidate]) -> Sequence[Named]:
    """The names that facts of a text are about, where the fact was said."""
    return list(_of_facts(text, facts))[:MOST]


def known_names(text: str, names: Collection[str]) -> Sequence[Named]:
    """Where known names stand, each as it is written: whole words, the longest first.

    Names without a capital are left out, since they are words of other meanings, too.
    """
    wanted = {it for it in names if _SHORTEST <= len(it) <= LONGEST and it[0].isupper()}
    there = sorted((it for it in wanted if it in text[:READ]), key=lambda it: (-len(it), it))
    if not there:
        return ()
    pattern = re.compile(rf"(?<![\w@#/.\-])(?:{'|'.join(map(re.escape, there))})(?![\w\-])")
    found = pattern.finditer(text[:READ])
    return [
        Named(it[0], "", it.start(), it.end(), 0.8)
        for it, _ in zip(found, range(MOST), strict=False)
    ]


def _of_facts(text: str, facts: Sequence[Candidate]) -> Iterator[Named]:
    for fact in facts:
        sort = _SORTS.get(fact.slot)
        if sort is None:
            continue
        for name in fact.entities:
            at = text.find(name, fact.start, fact.end)
            if at >= 0 and _SHORTEST <= len(name) <= LONGEST:
                yield Named(name, sort, at, at + len(name), fact.confidence)
