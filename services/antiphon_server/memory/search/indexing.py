"""The index of this server, and the thread that it belongs to."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from antiphon_server.memory.model import Excerpt
from antiphon_server.runtime.errors import DomainError, Reason

if TYPE_CHECKING:  # numpy and the stemmers come with them, when they are first used
    from antiphon_server.memory.index import Index
    from antiphon_server.memory.search.excerpts import Excerpts

T = TypeVar("T")


class Indexing:
    """Does with the index what it is given, one after the other, away from the event loop.

    Everything raises DomainError SERVICE_UNAVAILABLE once it is closed.
    """

    def __init__(self, make_index: "Callable[[], Index] | None" = None) -> None:
        self._make_index = make_index or _index
        self._index: Index | None = None
        self._excerpts: Excerpts | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="memory.index")
        self._closed = False
        self.size_bytes = 0
        """What the index holds, about."""

    async def do(self, work: "Callable[[Index], T]") -> T:
        """Run that with the index. If the caller is cancelled it is done nevertheless."""
        return await self._run(lambda: self._with_index(work))

    async def excerpts(self, query: str, texts: Sequence[str]) -> list[Excerpt]:
        """Of each text what shows best why it was found."""
        return await self._run(lambda: self._cutting().of(query, texts))

    def close(self) -> None:
        """Begin nothing more."""
        self._closed = True
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise DomainError(Reason.SERVICE_UNAVAILABLE, service="memory", retry_after=1.0)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _with_index(self, work: "Callable[[Index], T]") -> T:
        if self._index is None:
            self._index = self._make_index()
        try:
            return work(self._index)
        finally:
            self.size_bytes = self._index.size_bytes

    def _cutting(self) -> "Excerpts":
        if self._excerpts is None:
            from antiphon_server.memory.search.excerpts import Excerpts

            self._excerpts = Excerpts()
        return self._excerpts


def _index() -> "Index":
    from antiphon_server.memory.index import Index

    return Index()
