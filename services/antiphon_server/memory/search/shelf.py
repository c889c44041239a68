"""The memories in this server's index, and how they keep up with what is put elsewhere.

Of each scope it is known up to which revision it was read. Before each search one query asks for
the revisions of all scopes that are searched, and what has changed since is read: so what was put,
by whichever server, is found by the next search, and what was forgotten is not.
"""

import asyncio
import heapq
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import WeakValueDictionary

from antiphon_server.memory.index import Document, DocumentId, PartitionKey
from antiphon_server.memory.ports import MemoryStore, Names
from antiphon_server.memory.remembered import Kind, Memory, State
from antiphon_server.runtime.access.principal import UserId

if TYPE_CHECKING:  # numpy and the stemmers come with it, when it is first used
    from antiphon_server.memory.index import Index

T = TypeVar("T")
MAX_BYTES = 256 << 20
"""What memories may hold of the index; scopes that were searched longest ago go first then."""
PAGE = 500
KINDS = {Kind.FACT: "fact", Kind.PREFERENCE: "preference", Kind.EVENT: "event", Kind.NOTE: "note"}
"""What the index calls them."""
_KEY, _USER = "memories/", "users/"


class HasIndex(Protocol):
    """Whoever owns the index."""

    async def with_index(self, work: "Callable[[Index], T]") -> T:
        """Do something with it, in its thread."""
        ...


class Shelf:
    """The memories of the scopes that were searched here, ready to be ranked."""

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
        self._known: OrderedDict[str, int] = OrderedDict()
        self._bytes: dict[str, int] = {}
        self._expiring: list[tuple[int, str, str]] = []
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def bring_up(self, scopes: Collection[str]) -> Sequence[str]:
        """Those of them that have memories: the index knows all that were committed by now.

        Raises DomainError if the store can't be used.
        """
        found = await self._store.revisions(scopes)
        for scope, revision in found.items():
            if self._known.get(scope, 0) < revision:
                await self._catch_up(scope, revision)
            self._known.move_to_end(scope)
        await self._take_expired()
        await self._make_room(found)
        return list(found)

    @property
    def scopes(self) -> int:
        """How many scopes' memories can be searched without being read first."""
        return len(self._known)

    def _lock(self, scope: str) -> asyncio.Lock:
        return self._locks.setdefault(scope, asyncio.Lock())

    async def _catch_up(self, scope: str, revision: int) -> None:
        async with self._lock(scope):
            while (after := self._known.get(scope, 0)) < revision:
                changed = await self._store.changed(scope, after, PAGE)
                await self._take(scope, changed.memories)
                self._known[scope] = max(changed.revision, after + 1)

    async def _take(self, scope: str, memories: Sequence[Memory]) -> None:
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
        gone = [DocumentId(it.memory_id) for it in memories if it.memory_id not in kept]
        for it in in_use:
            if it.expire_us is not None:
                heapq.heappush(self._expiring, (it.expire_us, scope, it.memory_id))

        def work(index: "Index") -> int:
            index.remove(key_of(scope), gone)
            index.extend(key_of(scope), documents)
            return index.partition_bytes(key_of(scope))

        self._bytes[scope] = await self._owner.with_index(work)

    async def _take_expired(self) -> None:
        """Take out what has expired; what has got more time meanwhile is read again as it is."""
        now_us, due = int(self._clock() * 1e6), dict[str, list[str]]()
        while self._expiring and self._expiring[0][0] <= now_us:
            _, scope, memory_id = heapq.heappop(self._expiring)
            due.setdefault(scope, []).append(memory_id)
        for scope, ids in due.items():
            async with self._lock(scope):
                if scope in self._known:
                    await self._take(scope, list((await self._store.those(ids)).values()))

    async def _make_room(self, needed: Collection[str]) -> None:
        """Let go of what nobody reads just now."""
        for scope in list(self._known):
            if sum(self._bytes.values()) <= self._max_bytes:
                return
            if scope not in self._known or scope in needed or self._lock(scope).locked():
                continue
            del self._known[scope], self._bytes[scope]
            await self._owner.with_index(partial(_drop, key_of(scope)))


def _drop(key: PartitionKey, index: "Index") -> None:
    index.drop(key)


def key_of(scope: str) -> PartitionKey:
    """The partition of a scope's memories."""
    return PartitionKey(_KEY + scope)


def is_of_memories(key: PartitionKey) -> bool:
    """Whether it is one of those."""
    return key.startswith(_KEY)


def _document(memory: Memory, name: str) -> Document:
    said = "\n".join((memory.text, " ".join(it for it in memory.entities if it not in memory.text)))
    time_us = memory.create_us if memory.valid_from_us is None else memory.valid_from_us
    kind = KINDS.get(memory.kind, "note")
    return Document(DocumentId(memory.memory_id), said.strip(), name, memory.subject, time_us, kind)
