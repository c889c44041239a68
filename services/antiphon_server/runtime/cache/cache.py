"""Remembers what can be looked up again, for as long as it is true."""

import itertools
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from antiphon_server.runtime.cache.lru import LruCache

MAX_ENTRIES = 10_000
MAX_BYTES = 16 << 20
MAX_VALUE_BYTES = 4 << 10
"""A larger value is not kept."""
ALONE_S = 1.0
"""How long a process that does not hear what others invalidate may remember something."""
_AN_ENTRY = 200
"""What one takes besides its key and value, in bytes."""


@dataclass(frozen=True, slots=True)
class Found:
    """The ``values`` of those keys that are known, and the ``lease`` to set the others with."""

    values: Mapping[str, bytes]
    lease: str = ""


class Cache(Protocol):
    """Bytes by keys. It may forget anything at any time, and nobody waits for long.

    Who changes what a key stands for invalidates it after the commit and before the answer.
    Who finds nothing looks it up and sets it by the lease, which is void for what was
    invalidated meanwhile: what was read before a change is not kept behind it.
    """

    @property
    def longest_s(self) -> float:
        """How long others may remember what this process tells them, in seconds.

        Infinity if they will know at once, as a rule, what it invalidates.
        """
        ...

    async def get(self, keys: Collection[str]) -> Found:
        """What is known of them, all asked for at once."""
        ...

    async def set(self, values: Mapping[str, bytes], seconds: float, lease: str) -> None:
        """Remember values for so long, those for which the lease still holds."""
        ...

    async def invalidate(self, key: str) -> None:
        """Forget a key, and all leases for it."""
        ...


class _Entry(NamedTuple):
    value: bytes
    until: float


class MemoryCache:
    """A :class:`Cache` of one process: the least recently used goes first. ``clock`` is in seconds.

    Holds at most so many entries and bytes, and leases, nothing for more than ``longest_s``.
    """

    def __init__(
        self,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
        longest_s: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.longest_s = longest_s
        self._clock = clock
        self._entries = LruCache[str, _Entry](max_entries, max_bytes, _size)
        self._leases = LruCache[str, str](max_entries)
        self._numbers = itertools.count(1)

    @property
    def size(self) -> int:
        """What it holds, in bytes."""
        return self._entries.size

    async def get(self, keys: Collection[str]) -> Found:
        """See :meth:`Cache.get`."""
        now, lease = self._clock(), str(next(self._numbers))
        values: dict[str, bytes] = {}
        for key in keys:
            entry = self._entries.get(key)
            if entry is not None and entry.until > now:
                values[key] = entry.value
            else:
                self._leases.put(key, lease)
        return Found(values, lease)

    async def set(self, values: Mapping[str, bytes], seconds: float, lease: str) -> None:
        """See :meth:`Cache.set`."""
        until = self._clock() + min(seconds, self.longest_s)
        for key, value in values.items():
            if self._leases.peek(key) == lease and len(value) <= MAX_VALUE_BYTES:
                self._leases.pop(key)
                self._entries.put(key, _Entry(value, until))

    async def invalidate(self, key: str) -> None:
        """See :meth:`Cache.invalidate`."""
        self._leases.pop(key)
        self._entries.pop(key)


def _size(key: str, entry: _Entry) -> int:
    return _AN_ENTRY + len(key) + len(entry.value)
