"""Remembers what can be looked up again, for as long as it is true."""

import itertools
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

MAX_ENTRIES = 10_000
MAX_BYTES = 16 << 20
_AN_ENTRY = 200
"""What one takes besides its key and value, in bytes."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is known of a key: a ``value``, or None and the ``lease`` to set it with."""

    value: bytes | None
    lease: str = ""


class Cache(Protocol):
    """Bytes by keys. It may forget anything at any time, and nobody waits for long.

    Who changes what a key stands for invalidates it after the commit and before the answer.
    Who finds nothing looks it up and sets it by the lease, which is void if the key was
    invalidated meanwhile: what was read before a change is not kept behind it.
    """

    async def get(self, key: str) -> Lookup:
        """What is known."""
        ...

    async def set(self, key: str, value: bytes, seconds: float, lease: str) -> None:
        """Remember a value for so long, if the lease still holds."""
        ...

    async def expire(self, key: str, seconds: float) -> None:
        """Forget what is known of a key after so long from now on."""
        ...

    async def invalidate(self, key: str) -> None:
        """Forget a key, and all leases for it."""
        ...


class _Entry(NamedTuple):
    value: bytes
    until: float


class MemoryCache:
    """A :class:`Cache` of one process: the least recently used goes first. ``clock`` is in seconds.

    Holds at most so many entries and bytes, and leases.
    """

    def __init__(
        self,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._leases: OrderedDict[str, str] = OrderedDict()
        self._numbers = itertools.count(1)
        self.size = 0
        """What it holds, in bytes."""

    async def get(self, key: str) -> Lookup:
        """See :meth:`Cache.get`."""
        entry = self._entries.get(key)
        if entry is not None and entry.until > self._clock():
            self._entries.move_to_end(key)
            return Lookup(entry.value)
        lease = str(next(self._numbers))
        self._leases[key] = lease
        self._leases.move_to_end(key)
        if len(self._leases) > self._max_entries:
            self._leases.popitem(last=False)
        return Lookup(None, lease)

    async def set(self, key: str, value: bytes, seconds: float, lease: str) -> None:
        """See :meth:`Cache.set`."""
        if self._leases.get(key) != lease:
            return
        del self._leases[key]
        self._drop(key)
        self._entries[key] = _Entry(value, self._clock() + seconds)
        self.size += _size(key, value)
        while len(self._entries) > self._max_entries or self.size > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def expire(self, key: str, seconds: float) -> None:
        """See :meth:`Cache.expire`."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = entry._replace(until=self._clock() + seconds)

    async def invalidate(self, key: str) -> None:
        """See :meth:`Cache.invalidate`."""
        self._leases.pop(key, None)
        self._drop(key)

    def clear(self) -> None:
        """Forget all, and all leases."""
        self._entries.clear()
        self._leases.clear()
        self.size = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= _size(key, entry.value)


def _size(key: str, value: bytes) -> int:
    return _AN_ENTRY + len(key) + len(value)
