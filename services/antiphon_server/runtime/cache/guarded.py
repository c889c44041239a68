"""What a slow read finds, remembered only if nothing changed meanwhile."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from antiphon_server.runtime.cache.lru import LruCache

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class GuardedCache(Generic[K, V]):
    """Holds in ``held`` what ``read`` finds, and never what was true before a change.

    All changes in this process must go through :meth:`changing`.
    """

    def __init__(self, held: LruCache[K, V], read: Callable[[K], Awaitable[V | None]]) -> None:
        self._held = held
        self._read = read
        self._changing = 0
        self._generation = 0

    async def get(self, key: K) -> V | None:
        """What is held, or else what is read now; None is not kept, as it may come to be."""
        held = self._held.get(key)
        if held is not None:
            return held
        generation = self._generation
        found = await self._read(key)
        # What was read while something changed is a true answer, but not for later.
        if found is not None and not self._changing and generation == self._generation:
            self._held.put(key, found)
        return found

    async def changing(self, change: Awaitable[T], forget: Callable[[], object]) -> T:
        """Await a change, then ``forget`` what it made untrue; whoever asks later reads anew.

        Must not be cancelled before the change has ended.
        """
        self._changing += 1
        try:
            return await change
        finally:
            forget()
            self._generation += 1
            self._changing -= 1
