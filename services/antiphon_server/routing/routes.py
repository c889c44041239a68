"""The routes of all parents: which stand now, ready to be asked."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from antiphon_server.routing.matching import Table
from antiphon_server.routing.model import GLOBAL, Revision, Rule
from antiphon_server.routing.ports import RouteStore
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.errors import not_found

LOOK_S = 0.5
"""How often a server looks whether others have changed something: a change holds within 1 s."""
MOST_READY = 256
"""So many parents' rules are kept ready."""

T = TypeVar("T")


class Routes:
    """Which parents have routes is in memory: where none stand, nothing is read or decided."""

    def __init__(self, store: RouteStore) -> None:
        self._store = store
        self._newest: Mapping[str, int] = {}
        self._changes = -1
        self._reading = asyncio.Lock()
        self._ready: LruCache[str, Table] = LruCache(MOST_READY)
        self._completion = Completion()

    def stand(self, workspace_id: str) -> bool:
        """Whether there are any for turns of the workspace."""
        return workspace_id in self._newest or GLOBAL in self._newest

    async def of(self, workspace_id: str) -> Sequence[Table]:
        """Those for turns of the workspace: its own, then the installation's."""
        parents = [it for it in (workspace_id, GLOBAL) if it in self._newest]
        tables = [await self._table(parent) for parent in parents]
        return [it for it in tables if it is not None]

    async def get(self, parent: str, number: int = 0) -> Revision:
        """A revision, 0 for the newest; empty if none was ever set.

        Raises DomainError NOT_FOUND.
        """
        found = await self._store.get(parent, number)
        if found is None and number:
            raise not_found(f"revision {number} of the routes of {parent}")
        return found or Revision(parent)

    async def set(
        self, parent: str, rules: Sequence[Rule], comment: str, expected: int | None
    ) -> Revision:
        """Replace a parent's rules, from now on.

        Raises DomainError INVALID_ARGUMENT, ETAG_MISMATCH.
        """
        await asyncio.to_thread(Table, parent, 0, rules)  # says what is wrong with them
        change = self._store.put(parent, rules, comment, expected)
        return await self._completion.run(self._changing(change))

    async def revisions(self, parent: str, before: int, limit: int) -> Sequence[Revision]:
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

    async def _changing(self, change: Coroutine[Any, Any, T]) -> T:
        """Make it and know of it, also if nobody waits for that any more."""
        changed = await change
        await self.refresh()
        return changed

    async def _table(self, parent: str) -> Table | None:
        """A parent's, made ready by a thread: many patterns take a while."""
        ready = self._ready.get(parent)
        if ready is None or ready.revision < self._newest.get(parent, 0):
            found = await self._store.get(parent)
            if found is None:
                return None
            ready = await asyncio.to_thread(Table, parent, found.number, found.rules)
            self._ready.put(parent, ready)
        return ready
