"""The index of this server, and the thread that it belongs to."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from antiphon_server.memory.index import Document
from antiphon_server.memory.model import Excerpt
from antiphon_server.runtime.errors import DomainError, Reason

if TYPE_CHECKING:  # numpy and the stemmers come with them, when they are first used
    from antiphon_server.memory.index import Index
    from antiphon_server.memory.search.excerpts import Excerpts

T = TypeVar("T")
AT_ONCE = 128
"""Documents that are put into the index before somebody else's search has its turn: some 10 ms."""
CHARACTERS_AT_ONCE = 16_000
"""Of them; of one document all."""


class Indexing:
    """Does with the index what it is given, one after the other, away from the event loop.

    With ``by_meaning`` the index keeps texts until vectors are made of them.

    Everything raises DomainError SERVICE_UNAVAILABLE once it is closed.
    """

    def __init__(self, *, by_meaning: bool = False) -> None:
        self._by_meaning = by_meaning
        self._index: Index | None = None
        self._excerpts: Excerpts | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="memory.index")
        self._closed = False
        self._running = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.size_bytes = 0
        """What the index holds, about."""

    async def do(self, work: "Callable[[Index], T]") -> T:
        """Run that with the index. If the caller is cancelled it is done nevertheless."""
        return await self._run(lambda: self._with_index(work))

    async def excerpts(self, query: str, texts: Sequence[str]) -> list[Excerpt]:
        """Of each text what shows best why it was found."""
        return await self._run(lambda: self._cutting().of(query, texts))

    async def quiet(self, patience_s: float) -> None:
        """Return when nobody waits for the index, or after that time."""
        try:
            async with asyncio.timeout(patience_s):
                await self._quiet.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        """Begin nothing more."""
        self._closed = True
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise DomainError(Reason.SERVICE_UNAVAILABLE, service="memory", retry_after=1.0)
        self._running += 1
        self._quiet.clear()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._running -= 1
            if not self._running:
                self._quiet.set()

    def _with_index(self, work: "Callable[[Index], T]") -> T:
        if self._index is None:
            from antiphon_server.memory.index import Index

            self._index = Index(expects_encoder=self._by_meaning)
        try:
            return work(self._index)
        finally:
            self.size_bytes = self._index.size_bytes

    def _cutting(self) -> "Excerpts":
        if self._excerpts is None:
            from antiphon_server.memory.search.excerpts import Excerpts

            self._excerpts = Excerpts()
        return self._excerpts


def in_portions(documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
    """Portions that the index takes in some 10 ms each, unless a document is very long."""
    portion, characters = list[Document](), 0
    for it in documents:
        if portion and (len(portion) == AT_ONCE or characters + len(it.text) > CHARACTERS_AT_ONCE):
            yield portion
            portion, characters = [], 0
        portion.append(it)
        characters += len(it.text)
    if portion:
        yield portion
