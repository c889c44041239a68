"""The rules of all parents: which stand now, ready to be asked."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar

from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.errors import DomainError, not_found
from antiphon_server.runtime.revisions.model import GLOBAL, Revision
from antiphon_server.runtime.revisions.ports import RevisionStore
from antiphon_server.runtime.telemetry.structured import structlog

log = structlog.get_logger(__name__)

LOOK_S = 0.5
"""How often a server looks whether others have changed something: a change holds within 1 s."""
MOST_READY = 256
"""So many parents' rules are kept ready."""
AT_ONCE = 2
"""Threads that make them ready."""

A = TypeVar("A")
T = TypeVar("T")


class MadeReady(Protocol):
    """Rules of one parent, put together so that they are asked fast."""

    @property
    def revision(self) -> int:
        """The number of the revision that they are."""
        ...

    @property
    def broken(self) -> DomainError | None:
        """Why they can't be set; where such stand all the same, what can be used of them is.

        They may be of a newer server, or of one that has more installed.
        """
        ...


Ready = TypeVar("Ready", bound=MadeReady)


class Standing(Generic[T, Ready]):
    """Which parents have rules is in memory: where none stand, nothing is read or decided.

    ``kind`` is what errors call them. ``ready`` makes a parent's ready, of a revision's number and
    rules, in a thread; each revision once, however many wait for it.
    """

    def __init__(
        self,
        kind: str,
        store: RevisionStore[T],
        ready: Callable[[str, int, Sequence[T]], Ready],
    ) -> None:
        self._kind, self._store, self._make_ready = kind, store, ready
        self._newest: Mapping[str, int] = {}
        self._changes = -1
        self._reading = asyncio.Lock()
        self._ready: LruCache[str, Ready] = LruCache(MOST_READY)
        self._making: dict[tuple[str, int], asyncio.Task[Ready | None]] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=kind)
        self._completion = Completion()

    def stand(self, workspace_id: str) -> bool:
        """Whether there are any for the workspace."""
        return workspace_id in self._newest or GLOBAL in self._newest

    @property
    def parents(self) -> Collection[str]:
        """Who has some."""
        return self._newest.keys()

    async def of(self, *parents: str) -> Sequence[Ready]:
        """Those of parents that have some, in that order."""
        made = [await self._of(parent) for parent in parents if parent in self._newest]
        return [it for it in made if it is not None]

    async def get(self, parent: str, number: int = 0) -> Revision[T]:
        """A revision, 0 for the newest; empty if none was ever set.

        Raises DomainError NOT_FOUND.
        """
        found = await self._store.get(parent, number)
        if found is None and number:
            raise not_found(f"revision {number} of the {self._kind} of {parent}")
        return found or Revision(parent)

    async def set(
        self, parent: str, rules: Sequence[T], comment: str, expected: int | None
    ) -> Revision[T]:
        """Replace a parent's rules, from now on.

        Raises DomainError INVALID_ARGUMENT, ETAG_MISMATCH.
        """
        await self.trial(parent, rules)  # says what is wrong with them
        change = self._store.put(parent, rules, comment, expected)
        return await self._completion.run(self._changing(change))

    async def trial(self, parent: str, rules: Sequence[T]) -> Ready:
        """Rules of a parent that do not stand. Raises DomainError INVALID_ARGUMENT."""
        made = await self._made(parent, 0, rules)
        if made.broken is not None:
            raise made.broken
        return made

    async def revisions(self, parent: str, before: int, limit: int) -> Sequence[Revision[T]]:
        """What a parent's were, before that number (0: all), the newest first, without rules."""
        return await self._store.revisions(parent, before, limit)

    async def refresh(self) -> None:
        """Read anew which stand, if some were changed."""
        async with self._reading:
            changes = await self._store.changes()
            if changes != self._changes:
                self._newest = await self._store.newest()
                self._changes = changes

    async def run(self) -> None:
        """Look regularly whether another server has changed some, until cancelled."""
        await every(LOOK_S, self.refresh, at_once=False)

    async def close(self) -> None:
        """Wait for changes whose callers have gone."""
        await self._completion.close()
        self._threads.shutdown(wait=False)

    async def _changing(self, change: Coroutine[Any, Any, A]) -> A:
        """Make it and know of it, also if nobody waits for that any more."""
        changed = await change
        await self.refresh()
        return changed

    async def _of(self, parent: str) -> Ready | None:
        ready, newest = self._ready.get(parent), self._newest.get(parent, 0)
        if ready is not None and ready.revision >= newest:
            return ready
        asked = parent, newest
        making = self._making.get(asked)
        if making is None:
            making = self._making[asked] = self._completion.begin(self._stored(parent))
            making.add_done_callback(lambda _: self._making.pop(asked, None))
        return await asyncio.shield(making)

    async def _stored(self, parent: str) -> Ready | None:
        found = await self._store.get(parent)
        if found is None:
            return None
        ready = await self._made(parent, found.number, found.rules)
        if ready.broken is not None:
            about = {"parent": parent, "revision": found.number, "why": str(ready.broken)}
            log.warning(f"some {self._kind} that stand can't be used here", **about)
        self._ready.put(parent, ready)
        return ready

    async def _made(self, parent: str, number: int, rules: Sequence[T]) -> Ready:
        """By a thread: many patterns take a while, in which it is not to hold up others' work."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._make_ready, parent, number, rules)
