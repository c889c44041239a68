"""The memories in this server's index, and how they keep up with what is put elsewhere.

Of each scope it is known up to which revision it was read. Before each search one query asks for
the revisions of all scopes that are searched, and what has changed since is read: so what was put,
by whichever server, is found by the next search, and what was forgotten is not.
"""

import asyncio
import logging
import math
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from antiphon_server.memory.index import Document, DocumentId, Hit, PartitionKey, Query
from antiphon_server.memory.ports import MemoryStore, Names
from antiphon_server.memory.remembered import Kind, Memory, State, is_of_memories, place_of
from antiphon_server.memory.search.indexing import in_portions
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.lru import LruCache

if TYPE_CHECKING:  # numpy and the stemmers come with it, when it is first used
    from antiphon_server.memory.index import Index

T = TypeVar("T")
log = logging.getLogger(__name__)
MAX_BYTES = 256 << 20
"""What memories may hold of the index; scopes that were searched longest ago go first then."""
SHARE, LEAST_BYTES = 8, 64 << 10
"""A scope may hold the 8th part of that, or so much."""
MAX_SCOPES = 100_000
AGAIN_S = 60.0
"""So long a scope that had no room is not read again."""
PAGE = 500
KINDS = {Kind.FACT: "fact", Kind.PREFERENCE: "preference", Kind.EVENT: "event", Kind.NOTE: "note"}
"""What the index calls them."""
_USER = "users/"
_WORTH_BYTES = 300  # of Python's own, for what a memory is worth and when it expires
__all__ = ["HasIndex", "Shelf", "Shelved", "is_of_memories", "key_of"]


class HasIndex(Protocol):
    """Whoever owns the index."""

    async def with_index(self, work: "Callable[[Index], T]") -> T:
        """Do something with it, in its thread."""
        ...


@dataclass(slots=True)
class _Scope:
    """What the index has of a scope: up to which revision, and what each memory there is worth.

    ``is_cut`` says that some had no room. Of those that expire ``expiring`` says when, in
    microseconds since 1970.
    """

    revision: int = 0
    size_bytes: int = 0
    is_cut: bool = False
    worth: dict[DocumentId, tuple[float, int]] = field(default_factory=dict)
    expiring: dict[DocumentId, int] = field(default_factory=dict)


class Shelved(NamedTuple):
    """Scopes that can be searched now; ``more`` says that there are others, or more in them."""

    scopes: Sequence[str]
    more: bool


class Shelf:
    """The memories of the scopes that were searched here, ready to be ranked.

    Of ``max_bytes`` a scope may have an eighth: of a larger one what is most important, and of that
    the newest, is searched. ``clock`` tells seconds since 1970.
    """

    def __init__(
        self,
        store: MemoryStore,
        names: Names,
        owner: HasIndex,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._names, self._owner = store, names, owner
        self._max_bytes, self._clock = max_bytes, clock
        self._share = max(max_bytes // SHARE, LEAST_BYTES)
        self._known: OrderedDict[str, _Scope] = OrderedDict()  # last used last
        self._size_bytes = 0
        self._searched = Counter[str]()
        self._no_room = LruCache[str, float](MAX_SCOPES)
        self._under_way: dict[str, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def opened(self, scopes: Collection[str], wait_s: float) -> AsyncIterator[Shelved]:
        """Those of them that have memories: the index knows all that were committed by now.

        What takes longer to be read than ``wait_s`` goes on without the caller, who is told that
        there is more. They stay in the index until this ends. Raises DomainError if the store
        can't be used.
        """
        until_s = time.monotonic() + wait_s
        found = await self._store.revisions(scopes)
        begun, there = list[str](), list[str]()
        try:
            for it in scopes:
                if it in found:
                    begun.append(it)
                    self._searched[it] += 1
                    if await self._is_up(it, found[it], until_s):
                        there.append(it)
            more = len(there) < len(begun) or any(self._known[it].is_cut for it in there)
            yield Shelved(there, more)
        finally:
            for it in begun:
                self._searched[it] -= 1
                if not self._searched[it]:
                    del self._searched[it]

    async def worthiest(self, query: Query, scopes: Collection[str]) -> Sequence[Hit]:
        """Of scopes that are open what is most important, and of that the newest.

        As many as the query limits, within its bounds; what it says counts for nothing.
        """
        worth = {key_of(it): self._known[it].worth for it in scopes if it in self._known}
        return await self._owner.with_index(lambda index: index.worthiest(query, worth))

    @property
    def scopes(self) -> int:
        """How many scopes' memories can be searched without being read first."""
        return len(self._known)

    @property
    def size_bytes(self) -> int:
        """What they hold of the index, about."""
        return self._size_bytes

    async def stop(self) -> None:
        """Give up what is read just now."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _is_up(self, scope: str, revision: int, until_s: float) -> bool:
        """Bring the scope up to that revision; says whether it is there, as far as it has room."""
        refused_s = self._no_room.get(scope)
        recently = refused_s is not None and self._clock() - refused_s < AGAIN_S
        if scope not in self._known and recently:
            return False
        for _ in range(2):  # what is under way may have begun before that revision
            if not self._stands_at(scope, revision) and not await self._read_on(
                scope, revision, until_s
            ):
                return False
        self._known.move_to_end(scope)
        return await self._has_room(scope)

    def _stands_at(self, scope: str, revision: int) -> bool:
        known = self._known.get(scope)
        return (
            known is not None
            and known.revision >= revision
            and _first_us(known) > self._clock() * 1e6
        )

    async def _read_on(self, scope: str, revision: int, until_s: float) -> bool:
        """Wait for the scope to be read; says whether that was in time."""
        left_s = until_s - time.monotonic()
        task = self._under_way.get(scope)
        if task is None:
            if left_s <= 0:
                return False
            reading = self._catch_up(scope, revision)
            task = asyncio.create_task(reading, name=f"memory.shelf.{scope}")
            self._under_way[scope] = task
            task.add_done_callback(partial(self._ended, scope))
        await asyncio.wait({task}, timeout=max(left_s, 0))
        if not task.done():
            return False
        task.result()
        return True

    def _ended(self, scope: str, task: asyncio.Task[None]) -> None:
        del self._under_way[scope]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("the memories of %s can't be read for search now: %s", scope, error)

    async def _catch_up(self, scope: str, revision: int) -> None:
        known = self._known.get(scope)
        nobody_else = self._searched[scope] == 1
        if known and known.is_cut and known.size_bytes < self._share // 2 and nobody_else:
            await self._drop(scope)  # what had no room is read again
            known = None
        forgotten_after = 0
        if known is None:  # whatever a search that broke off has left there goes
            await self._owner.with_index(partial(_drop, key_of(scope)))
            known, forgotten_after = _Scope(), revision
            self._known[scope] = known
        while known.revision < revision:
            after = known.revision
            changed = await self._store.changed(scope, after, PAGE, forgotten_after)
            await self._take(scope, known, changed.memories)
            known.revision = max(changed.revision, known.revision + 1)
        await self._take_expired(scope, known)

    async def _take(self, scope: str, known: _Scope, memories: Sequence[Memory]) -> None:
        now_us = int(self._clock() * 1e6)
        in_use = [it for it in memories if it.state is State.ACTIVE and not it.expired(now_us)]
        # In a conversation there may be guests, who learn nobody's name.
        told = [it for it in in_use if scope.startswith("workspaces/") or it.subject == scope]
        names = await self._names.names_of(
            {UserId(it.subject.removeprefix(_USER)) for it in told if it.subject}
        )
        documents = [
            _document(it, names.get(UserId(it.subject.removeprefix(_USER)), "")) for it in in_use
        ]
        kept = {it.document_id for it in documents}
        gone = [one for each in memories if (one := DocumentId(each.memory_id)) not in kept]
        await self._remove(scope, known, gone)
        for it in in_use:
            known.worth[DocumentId(it.memory_id)] = (it.importance, it.create_us)
            if it.expire_us is not None:
                known.expiring[DocumentId(it.memory_id)] = it.expire_us
        for portion in in_portions(documents):
            await self._extend(scope, known, portion)

    async def _extend(self, scope: str, known: _Scope, documents: Sequence[Document]) -> None:
        """Add them; of all that are there then, those that are worth least may have to go."""
        key, worth, share = key_of(scope), known.worth, self._share

        def work(index: "Index") -> tuple[int, Sequence[DocumentId]]:
            index.extend(key, documents)
            is_large = index.partition_bytes(key) > share
            cut = index.shrink(key, share * 7 // 8, worth) if is_large else ()
            return index.partition_bytes(key), cut

        size_bytes, cut = await self._owner.with_index(work)
        known.is_cut = known.is_cut or bool(cut)
        self._forget(known, cut)
        self._charge(known, size_bytes)

    async def _remove(self, scope: str, known: _Scope, gone: Collection[DocumentId]) -> None:
        key = key_of(scope)

        def work(index: "Index") -> int:
            index.remove(key, gone)
            return index.partition_bytes(key)

        if gone:
            size_bytes = await self._owner.with_index(work)
            self._forget(known, gone)
            self._charge(known, size_bytes)

    async def _take_expired(self, scope: str, known: _Scope) -> None:
        """Take out what has expired; what has got more time meanwhile is read again as it is."""
        now_us = self._clock() * 1e6
        due = [it for it, expire_us in known.expiring.items() if expire_us <= now_us]
        if due:
            there = (await self._store.those(due)).values()
            await self._remove(scope, known, due)
            await self._take(scope, known, list(there))

    async def _has_room(self, scope: str) -> bool:
        """Let go of what nobody reads just now; where all is read, of the scope itself."""
        for other in list(self._known):
            if self._size_bytes <= self._max_bytes:
                return True
            if not self._searched[other] and other not in self._under_way:
                await self._drop(other)
        if self._size_bytes <= self._max_bytes or self._searched[scope] > 1:
            return True
        await self._drop(scope)
        self._no_room.put(scope, self._clock())
        return False

    async def _drop(self, scope: str) -> None:
        known = self._known.pop(scope, None)
        if known is not None:
            self._charge(known, 0)
            await self._owner.with_index(partial(_drop, key_of(scope)))

    def _forget(self, known: _Scope, ids: Collection[DocumentId]) -> None:
        for it in ids:
            known.worth.pop(it, None)
            known.expiring.pop(it, None)

    def _charge(self, known: _Scope, size_bytes: int) -> None:
        more = size_bytes + _WORTH_BYTES * len(known.worth) * bool(size_bytes) - known.size_bytes
        known.size_bytes += more
        self._size_bytes += more


def _first_us(known: _Scope) -> float:
    """When the first of its memories expires, in microseconds since 1970."""
    return min(known.expiring.values(), default=math.inf)


def _drop(key: PartitionKey, index: "Index") -> None:
    index.drop(key)


def key_of(scope: str) -> PartitionKey:
    """The partition of a scope's memories."""
    return PartitionKey(place_of(scope))


def _document(memory: Memory, name: str) -> Document:
    said = "\n".join((memory.text, " ".join(it for it in memory.entities if it not in memory.text)))
    time_us = memory.create_us if memory.valid_from_us is None else memory.valid_from_us
    kind = KINDS.get(memory.kind, "note")
    return Document(DocumentId(memory.memory_id), said.strip(), name, memory.subject, time_us, kind)
