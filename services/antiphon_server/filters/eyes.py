"""What looks for each kind of things."""

import asyncio
from collections.abc import Callable, Sequence

from antiphon_server.filters.finding.cutting import found_in
from antiphon_server.filters.finding.model import Finder, Found
from antiphon_server.filters.model import Kind, Origin, Remote
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

    async def __call__(self, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        return await self._remote.ask(self._tool, texts, origin)


class _Reading:
    def __init__(self, finders: Sequence[Finder]) -> None:
        self._finders = finders

    async def __call__(self, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        if sum(map(len, texts)) > LONG:
            return await asyncio.to_thread(found_in, texts, self._finders)
        return found_in(texts, self._finders)
