"""Memories in a SQL database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, bindparam, delete, or_, select, tuple_

from antiphon_server.memory.adapters.memory_rows import memory_in
from antiphon_server.memory.adapters.putting import answered, forget_in, put_in, replace_in
from antiphon_server.memory.adapters.tables import memories, requests, scopes, versions
from antiphon_server.memory.remembered import Changed, ListWish, Memory, Put, Request, State
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedIn

_FEW = 8
"""Scopes that a look-up of a moment asks for, as each turn does."""
SAYING = (
    "memory_memories",
    "memory_versions",
    "memory_facts",
    "memory_vectors",
    "memory_entity_names",
    "memory_entity_mentions",
    "memory_entities",
)
"""The tables that have something of what is forgotten."""
_AT_ONCE = 1024
"""Databases take 32,766 parameters of a statement, and compile a long one slowly."""


def _revisions(places: range) -> ClauseElement:
    asked: list[Any] = [bindparam(f"scope_{n}") for n in places]
    return select(scopes.c.scope, scopes.c.revision).where(scopes.c.scope.in_(asked))


def _those(places: range) -> ClauseElement:
    asked: list[Any] = [bindparam(f"memory_id_{n}") for n in places]
    return select(memories.c.body).where(memories.c.memory_id.in_(asked))


def _versions_of(places: range) -> ClauseElement:
    asked: list[Any] = [bindparam(f"memory_id_{n}") for n in places]
    found = select(versions.c.body).where(versions.c.memory_id.in_(asked))
    return found.order_by(versions.c.memory_id, versions.c.version.desc())


_VERSIONS_OF = PreparedIn(_versions_of)
_REVISIONS = PreparedIn(_revisions)
_THOSE = PreparedIn(_those)
_BODY = select(memories.c.body)
_OF_SCOPE = _BODY.where(memories.c.scope == bindparam("b_scope"))
_CHANGED = (
    select(memories.c.revision, memories.c.body)
    .where(
        memories.c.scope == bindparam("b_scope"),
        memories.c.revision > bindparam("b_after"),
        or_(
            memories.c.state != int(State.FORGOTTEN),
            memories.c.revision > bindparam("b_forgotten"),
        ),
    )
    .order_by(memories.c.revision)
    .limit(bindparam("b_limit"))
)
_REVISION = select(scopes.c.revision).where(scopes.c.scope == bindparam("b_scope"))
_VERSIONS = (
    select(versions.c.body)
    .where(versions.c.memory_id == bindparam("b_id"), versions.c.version < bindparam("b_before"))
    .order_by(versions.c.version.desc())
    .limit(bindparam("b_limit"))
)
_BEHIND = (
    select(memories.c.memory_id, memories.c.body)
    .where(memories.c.state != int(State.FORGOTTEN), memories.c.memory_id > bindparam("b_after"))
    .order_by(memories.c.memory_id)
    .limit(bindparam("b_limit"))
)
_ABOUT = (
    _BEHIND.where(memories.c.scope == bindparam("b_scope")),
    _BEHIND.where(
        memories.c.subject == bindparam("b_scope"),
        memories.c.scope.not_like("users/%"),  # nobody else may know that there are any
    ),
)
"""Two searches of an index each: one of both would look at all of them."""
_EXPIRED = (
    select(memories.c.memory_id)
    .where(memories.c.expire_us <= bindparam("b_now"))
    .order_by(memories.c.expire_us)
    .limit(bindparam("b_limit"))
)
_KEY = tuple_(requests.c.actor, requests.c.request_id)
_OLD = delete(requests).where(
    _KEY.in_(
        select(requests.c.actor, requests.c.request_id)
        .where(requests.c.create_us < bindparam("b_before"))
        .order_by(requests.c.create_us)
        .limit(bindparam("b_limit"))
    )
)


class SqlMemories:
    """A :class:`~antiphon_server.memory.ports.MemoryStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def made_by(self, request: Request) -> Put | None:
        """See :meth:`MemoryStore.made_by`."""
        return await self._database.read(lambda it: answered(it, request), snapshot=False)

    async def put(self, memory: Memory, request: Request | None) -> Put:
        """See :meth:`MemoryStore.put`."""
        return await self._database.write(lambda it: put_in(it, memory, request))

    async def get(self, memory_id: str) -> Memory | None:
        """See :meth:`MemoryStore.get`."""
        found = await self._those([memory_id], snapshot=False)
        return found.get(memory_id)

    async def those(self, memory_ids: Collection[str]) -> Mapping[str, Memory]:
        """See :meth:`MemoryStore.those`."""
        return await self._those(memory_ids, snapshot=True)

    async def _those(self, memory_ids: Collection[str], *, snapshot: bool) -> Mapping[str, Memory]:
        asked = [{"memory_id": it} for it in memory_ids]

        def work(connection: Connection) -> Mapping[str, Memory]:
            found = (memory_in(body) for (body,) in _THOSE.rows(connection, asked))
            return {it.memory_id: it for it in found}

        return await self._database.read(work, snapshot=snapshot)

    async def list(
        self, wish: ListWish, before: str, limit: int, now_us: int = 0
    ) -> Sequence[Memory]:
        """See :meth:`MemoryStore.list`."""
        expires = memories.c.expire_us
        listed = _OF_SCOPE.where(
            memories.c.state.in_([int(it) for it in wish.states]),
            or_(expires.is_(None), expires > now_us),
        )
        if wish.kinds:
            listed = listed.where(memories.c.kind.in_([int(it) for it in wish.kinds]))
        if wish.subject:
            listed = listed.where(memories.c.subject == wish.subject)
        if before:
            listed = listed.where(memories.c.memory_id < before)
        newest = listed.order_by(memories.c.memory_id.desc()).limit(limit)
        return await self._bodies(newest, b_scope=wish.scope)

    async def replace(self, memory: Memory, before: str) -> bool:
        """See :meth:`MemoryStore.replace`."""
        return await self._database.write(lambda it: replace_in(it, memory, before))

    async def forget(self, memory_id: str, now_us: int, actor: str = "") -> Memory | None:
        """See :meth:`MemoryStore.forget`."""
        return await self._database.write(forget_in(memory_id, now_us, actor))

    async def scrub(self) -> None:
        """See :meth:`MemoryStore.scrub`."""
        await self._database.scrub(SAYING)

    async def versions(self, memory_id: str, before: int, limit: int) -> Sequence[Memory]:
        """See :meth:`MemoryStore.versions`."""
        return await self._bodies(_VERSIONS, b_id=memory_id, b_before=before, b_limit=limit)

    async def versions_of(self, memory_ids: Collection[str]) -> Mapping[str, Sequence[Memory]]:
        """See :meth:`MemoryStore.versions_of`."""
        asked = [{"memory_id": it} for it in memory_ids]

        def work(connection: Connection) -> Mapping[str, Sequence[Memory]]:
            found = dict[str, list[Memory]]()
            for (body,) in _VERSIONS_OF.rows(connection, asked):
                memory = memory_in(body)
                found.setdefault(memory.memory_id, []).append(memory)
            return found

        return await self._database.read(work)

    async def about(self, user_scope: str, after: str, limit: int) -> Sequence[Memory]:
        """See :meth:`MemoryStore.about`."""
        at = {"b_scope": user_scope, "b_after": after, "b_limit": limit}

        def work(connection: Connection) -> Sequence[Memory]:
            rows = [row for each in _ABOUT for row in connection.execute(each, at)]
            bodies = {str(memory_id): body for memory_id, body in rows}
            return [memory_in(bodies[it]) for it in sorted(bodies)[:limit]]

        return await self._database.read(work)

    async def expired(self, now_us: int, limit: int) -> Sequence[str]:
        """See :meth:`MemoryStore.expired`."""
        at = {"b_now": now_us, "b_limit": limit}
        return await self._database.read(lambda it: [id_ for (id_,) in it.execute(_EXPIRED, at)])

    async def forget_requests(self, before_us: int) -> None:
        """See :meth:`MemoryStore.forget_requests`."""
        at = {"b_before": before_us, "b_limit": _AT_ONCE}
        while await self._database.write(lambda it: it.execute(_OLD, at).rowcount) == _AT_ONCE:
            pass

    async def revisions(self, asked: Collection[str]) -> Mapping[str, int]:
        """See :meth:`MemoryStore.revisions`."""
        wanted = [{"scope": it} for it in asked]

        def work(connection: Connection) -> Mapping[str, int]:
            found = dict[str, int]()
            for start in range(0, len(wanted), _AT_ONCE):
                rows = _REVISIONS.rows(connection, wanted[start : start + _AT_ONCE])
                found |= {str(row[0]): int(row[1]) for row in rows}
            return found

        return await self._database.read(work, snapshot=len(wanted) > _FEW)

    async def changed(
        self, scope: str, after: int, limit: int, forgotten_after: int = 0
    ) -> Changed:
        """See :meth:`MemoryStore.changed`."""
        at = {"b_scope": scope, "b_after": after, "b_limit": limit, "b_forgotten": forgotten_after}

        def work(connection: Connection) -> Changed:
            newest = connection.execute(_REVISION, at).scalar_one_or_none() or 0
            rows = connection.execute(_CHANGED, at).all()
            revision = rows[-1].revision if len(rows) == limit else newest
            return Changed([memory_in(it.body) for it in rows], revision)

        return await self._database.read(work)

    async def _bodies(self, listed: Any, **at: Any) -> Sequence[Memory]:
        return await self._database.read(
            lambda it: [memory_in(body) for (body,) in it.execute(listed, at)]
        )
