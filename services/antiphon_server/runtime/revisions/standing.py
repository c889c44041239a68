"""The rules of all parents: which stand now, ready to be asked."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.errors import not_found
from antiphon_server.runtime.revisions.model import GLOBAL, Revision
from antiphon_server.runtime.revisions.ports import RevisionStore

LOOK_S = 0.5
"""How often a server looks whether others have changed something: a change holds within 1 s."""
MOST_READY = 256
"""So many parents' rules are kept ready."""

A = TypeVar("A")
T = TypeVar("T")


class MadeReady(Protocol):
    """Rules of one parent, put together so that they are asked fast."""

    @property
    def revision(self) -> int:
        """The number of the revision that they are."""
        ...


Ready = TypeVar("Ready", bound=MadeReady)


class Standing(Generic[T, Ready]):
    """Which parents have rules is in memory: where none stand, nothing is read or decided.

    ``kind`` is what errors call them. ``ready`` makes a parent's ready, of a revision's number and
    rules, in a thread of its own; of those that can't stand it raises DomainError.
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
        return await asyncio.to_thread(self._make_ready, parent, 0, rules)

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

    async def _changing(self, change: Coroutine[Any, Any, A]) -> A:
        """Make it and know of it, also if nobody waits for that any more."""
        changed = await change
        await self.refresh()
        return changed

    async def _of(self, parent: str) -> Ready | None:
        """A parent's, made ready by a thread: many patterns take a while."""
        ready = self._ready.get(parent)
        if ready is None or ready.revision < self._newest.get(parent, 0):
            found = await self._store.get(parent)
            if found is None:
                return None
            ready = await asyncio.to_thread(self._make_ready, parent, found.number, found.rules)
            self._ready.put(parent, ready)
        return ready
