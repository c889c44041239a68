"""What looks for each kind of things."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from antiphon_server.filters.finding.model import Finder, Found
from antiphon_server.filters.finding.text import Text
from antiphon_server.filters.model import Finding, Kind, Origin, Remote
from antiphon_server.filters.ports import AsksRemote, Looks

LONG = 16 * 1024
"""More characters than that are looked at by a thread: it may take some milliseconds."""


class Eyes:
    """Makes what looks for a kind of things: ``finders`` of texts, or programs of others."""

    def __init__(self, finders: Callable[[Kind], Sequence[Finder]], remote: AsksRemote) -> None:
        self._finders, self._remote = finders, remote

    def __call__(self, kind: Kind) -> Looks:
        """What looks for it. Raises DomainError INVALID_ARGUMENT for terms that are too large."""
        if isinstance(kind, Remote):
            return _Asking(kind.tool, self._remote)
        return _Reading(self._finders(kind))


class _Asking:
    def __init__(self, tool: str, remote: AsksRemote) -> None:
        self._tool, self._remote = tool, remote

    async def __call__(self, texts: Sequence[str], origin: Origin) -> Sequence[Finding]:
        return await self._remote.ask(self._tool, texts, origin)


class _Reading:
    def __init__(self, finders: Sequence[Finder]) -> None:
        self._finders = finders

    async def __call__(self, texts: Sequence[str], origin: Origin) -> Sequence[Finding]:
        if sum(map(len, texts)) > LONG:
            return await asyncio.to_thread(self._read, texts)
        return self._read(texts)

    def _read(self, texts: Sequence[str]) -> Sequence[Finding]:
        """All of them behind each other, and each by itself: what is split over two is found, and
        what the next one would hide, too.
        """
        found = set(_placed(self._found("".join(texts)), texts))
        if len(texts) > 1:
            for at, text in enumerate(texts):
                found |= {Finding(it.category, at, it.start, it.end) for it in self._found(text)}
        return sorted(found, key=lambda it: (it.text, it.start, it.end, it.category))

    def _found(self, said: str) -> Iterator[Found]:
        text = Text(said)
        for finder in self._finders:
            yield from finder.find(text)


def _placed(found: Iterator[Found], texts: Sequence[str]) -> Iterator[Finding]:
    """Where that is in the texts; what is split over several is found in each of them."""
    ends = list(accumulate(map(len, texts)))
    for it in found:
        for at, (text, end) in enumerate(zip(texts, ends, strict=True)):
            begin = end - len(text)
            if it.start < end and it.end > begin:
                first, last = max(it.start, begin) - begin, min(it.end, end) - begin
                yield Finding(it.category, at, first, last)
