"""What a query means by a name: the other names of what it names, in what the caller may read."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from antiphon_server.memory.index.words import fold, words
from antiphon_server.memory.named import OtherNames

MOST_SCOPES = 1000
"""Those that are read first: the caller's own, workspaces, what was active last."""
MOST_WORDS = 16
LONGEST = 4
"""Words of a name that is looked for."""
MOST_NAMED = 8
MOST_OTHERS = 8


class Aliases(Protocol):
    """The names that entities have."""

    async def other_names(
        self, scopes: Sequence[str], keys: Collection[str]
    ) -> Mapping[str, Sequence[str]]:
        """By those keys that are a name there, what else that is called; of no other scope.

        Where there are too many scopes or names, those of the first scopes are told.
        Raises DomainError if the store can't be used.
        """
        ...


class Expanding:
    """Looks a query's names up."""

    def __init__(self, aliases: Aliases) -> None:
        self._aliases = aliases

    async def expanded(self, query: str, scopes: Sequence[str]) -> Sequence[OtherNames]:
        """The names in a query that stand for others, at most eight, the longest first.

        ``scopes`` are those that the caller may read; of very many the first are looked at.
        """
        asked = {" ".join(map(fold, it)): it for it in _runs(words(query)[:MOST_WORDS])}
        if not asked or not scopes:
            return ()
        found = await self._aliases.other_names(scopes[:MOST_SCOPES], list(asked))
        named = sorted(found, key=lambda it: -len(asked[it]))[:MOST_NAMED]
        return [OtherNames(asked[it], _different(found[it], asked[it])) for it in named]


def _runs(said: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for length in range(1, LONGEST + 1):
        for start in range(len(said) - length + 1):
            yield tuple(said[start : start + length])


def _different(names: Sequence[str], asked: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    split = dict.fromkeys(tuple(words(it)) for it in names)
    return tuple(it for it in split if it and it != asked)[:MOST_OTHERS]


def with_other_names(query: str, named: Sequence[OtherNames]) -> str:
    """The query with all that it stands for, for what looks for words alone."""
    return " ".join((query, *(" ".join(other) for it in named for other in it.others)))
