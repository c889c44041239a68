"""How memories are put, corrected and forgotten, within a transaction.

Each change takes the next revision of its scope first, and holds the scope until the commit: so
what changes one after the other is seen in that order, and of two that say the same one is put.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from antiphon.auth.v1 import audit_pb2
from antiphon_server.memory.adapters.memory_rows import NOTHING, body_of, memory_in, row_of, same_of
from antiphon_server.memory.adapters.mentioning import link_memory, unlink_memory
from antiphon_server.memory.adapters.source_rows import check_sources, drop_sources, link_sources
from antiphon_server.memory.adapters.tables import (
    facts,
    memories,
    requests,
    scopes,
    trail_outbox,
    versions,
)
from antiphon_server.memory.adapters.vector_rows import forget_vectors
from antiphon_server.memory.remembered import (
    MOST_OF_SCOPE,
    MOST_VERSIONS,
    Memory,
    Put,
    Request,
    State,
    forgotten,
    joined,
    place_of,
)
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.storage.statements import PreparedInsert
from antiphon_server.runtime.trail.outbox import Author

_NEXT = PreparedInsert(
    scopes,
    " ON CONFLICT (scope) DO UPDATE SET revision = memory_scopes.revision + 1"
    " RETURNING revision, kept",
)
_COUNT = (
    update(scopes)
    .where(scopes.c.scope == bindparam("b_scope"))
    .values(kept=scopes.c.kept + bindparam("b_more"))
)
_THIS = memories.c.memory_id == bindparam("b_id")
_GET = select(memories.c.body).where(_THIS)
_SAME = select(memories.c.body).where(
    memories.c.scope == bindparam("b_scope"), memories.c.same == bindparam("b_same")
)
_WRITE = update(memories).where(_THIS)
_REQUEST = select(requests.c.digest, requests.c.merged, memories.c.body).where(
    requests.c.actor == bindparam("b_actor"),
    requests.c.request_id == bindparam("b_request"),
    requests.c.memory_id == memories.c.memory_id,
)
_NEWEST_VERSION = (
    select(versions.c.body)
    .where(versions.c.memory_id == bindparam("b_id"))
    .order_by(versions.c.version.desc())
    .limit(1)
)
_DAY_US = 86_400 * 1_000_000
_DROP_VERSIONS = delete(versions).where(versions.c.memory_id == bindparam("b_id"))
_DROP_FACT = delete(facts).where(facts.c.memory_id == bindparam("b_id"))
_CLEAR_DIGESTS = (
    update(requests).where(requests.c.memory_id == bindparam("b_id")).values(digest=NOTHING)
)
_ADD = PreparedInsert(memories)
_ADD_VERSION = PreparedInsert(versions, " ON CONFLICT DO NOTHING")
_ADD_REQUEST = PreparedInsert(requests, " ON CONFLICT DO NOTHING")


def answered(connection: Connection, request: Request) -> Put | None:
    """What the request has put, as it is now; None of a new one.

    Raises DomainError REQUEST_ID_REUSED if it said something else then.
    """
    at = {"b_actor": request.actor, "b_request": request.request_id}
    row = connection.execute(_REQUEST, at).one_or_none()
    if row is None:
        return None
    put = memory_in(row.body)
    if row.digest not in (request.digest, NOTHING) or put.scope != request.scope:
        raise DomainError(Reason.REQUEST_ID_REUSED)
    return Put(put, merged=bool(row.merged), changed=False)


def put_in(connection: Connection, memory: Memory, request: Request | None = None) -> Put:
    """Put a memory, or join it with one that says the same; see :meth:`MemoryStore.put`."""
    revision, kept = next_revision(connection, memory.scope)
    if request is not None and (before := answered(connection, request)) is not None:
        return before
    check_sources(connection, memory)
    same = like_in(connection, memory)
    if same is not None and same.expired(memory.create_us):
        _forget(connection, same, memory.create_us)
        same = None
    put = (
        _put(connection, memory, revision, kept)
        if same is None
        else _join(connection, same, memory, revision)
    )
    if memory.supersedes:
        supersede_in(connection, memory.supersedes, put.memory)
    if put.changed and (put.merged or put.memory.entities):
        link_memory(connection, put.memory, memory.create_us)
    if request is not None:
        row = {
            "actor": request.actor,
            "request_id": request.request_id,
            "digest": request.digest,
            "memory_id": put.memory.memory_id,
            "merged": put.merged,
            "create_us": memory.create_us,
        }
        if not _ADD_REQUEST.run(connection, [row]):  # just now, for another scope
            raise DomainError(Reason.REQUEST_ID_REUSED)
    return put


def replace_in(connection: Connection, memory: Memory, before: str) -> bool:
    """See :meth:`MemoryStore.replace`."""
    revision, _ = next_revision(connection, memory.scope)
    old = get_in(connection, memory.memory_id)
    if old is None or old.etag != before:
        return False
    if old.version >= MOST_VERSIONS:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_VERSIONS} versions of a memory")
    like = like_in(connection, memory)
    if like is not None and like.memory_id != memory.memory_id:
        raise DomainError(Reason.ALREADY_EXISTS, resource=like.memory_id)
    keep_version(connection, old, memory.update_us)
    write_in(connection, memory, revision)
    link_memory(connection, memory, memory.update_us)
    return True


def forget_in(memory_id: str, now_us: int, actor: str) -> Callable[[Connection], Memory | None]:
    """See :meth:`MemoryStore.forget`: the work, in the name of whoever calls now, or ``actor``."""
    by = Author(trail_outbox, actor)

    def work(connection: Connection) -> Memory | None:
        found = get_in(connection, memory_id)
        if found is None:
            return None
        next_revision(connection, found.scope)  # whoever changes it now is done before it goes
        held = get_in(connection, memory_id) or found
        if held.state is State.FORGOTTEN:
            return held
        return _forget_told(connection, held, now_us, by)

    return work


def settle_in(
    before: Memory, after: Memory | None, now_us: int, actor: str
) -> Callable[[Connection], bool]:
    """See :meth:`SourceStore.settle`: the work, in the name of ``actor``."""
    by = Author(trail_outbox, actor)

    def work(connection: Connection) -> bool:
        revision, _ = next_revision(connection, before.scope)
        held = get_in(connection, before.memory_id)
        if held is None or held.etag != before.etag:
            return False
        like = (
            like_in(connection, after) if after is not None and held.state is State.ACTIVE else None
        )
        if after is None or (like is not None and like.memory_id != before.memory_id):
            _forget_told(connection, held, now_us, by)
            return True
        was = newest_version(connection, held.memory_id) if held.state is State.PRUNED else None
        left = replace(after, version=held.version + 1, etag=new_id("etag"), update_us=now_us)
        write_in(connection, replace(left, updater=actor), revision)
        unlink_memory(connection, before.scope, before.memory_id)
        link_memory(connection, left, now_us)
        connection.execute(_DROP_VERSIONS, {"b_id": before.memory_id})
        if was is not None:  # what is put away comes back as the version that it was
            back = replace(after, state=was.state, expire_us=was.expire_us, version=held.version)
            keep_version(connection, back, now_us)
        drop_sources(connection, before.memory_id)
        link_sources(connection, after)
        return True

    return work


def _forget_told(connection: Connection, held: Memory, now_us: int, by: Author) -> Memory:
    left = _forget(connection, held, now_us)
    told = audit_pb2.MemoryForgotten(resource=held.scope, memory_id=held.memory_id)
    kind, _, owner = held.scope.partition("/")
    by.note(connection, memory_forgotten=told, user_id=owner if kind == "users" else "")
    return left


def next_revision(connection: Connection, scope: str) -> tuple[int, int]:
    """Hold the scope for the rest of the transaction; its next revision, and how many it keeps."""
    ((revision, kept),) = _NEXT.returned(connection, [{"scope": scope, "revision": 1, "kept": 0}])
    return revision, kept


def _put(connection: Connection, memory: Memory, revision: int, kept: int) -> Put:
    if kept >= MOST_OF_SCOPE:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_OF_SCOPE} memories of a scope")
    _ADD.run(connection, [row_of(memory, revision)])
    link_sources(connection, memory)
    connection.execute(_COUNT, {"b_scope": memory.scope, "b_more": 1})
    return Put(memory)


def _join(connection: Connection, old: Memory, new: Memory, revision: int) -> Put:
    both = joined(old, new)
    if both == old:
        said_again(connection, old, new.create_us, revision)
        return Put(old, merged=True, changed=False)
    both = replace(both, etag=new.etag, update_us=new.create_us, updater=new.creator)
    write_in(connection, both, revision)
    if old.sources and not both.sources:
        connection.execute(_DROP_VERSIONS, {"b_id": old.memory_id})  # they said what those say
        drop_sources(connection, old.memory_id)
    link_sources(connection, both)
    return Put(both, merged=True)


def said_again(connection: Connection, memory: Memory, now_us: int, revision: int) -> None:
    """Note that a memory was, to a day: what is said again is not old."""
    if now_us - memory.update_us > _DAY_US:
        write_in(connection, replace(memory, update_us=now_us), revision)


def newest_version(connection: Connection, memory_id: str) -> Memory | None:
    """What a memory was before it was changed last, as far as that is kept."""
    body = connection.execute(_NEWEST_VERSION, {"b_id": memory_id}).scalar_one_or_none()
    return memory_in(body) if body is not None else None


def supersede_in(connection: Connection, memory_id: str, by: Memory) -> None:
    """Let a memory of the same scope be followed by another, if that is one. Raises DomainError."""
    if memory_id == by.memory_id:
        return
    old = get_in(connection, memory_id)
    if old is None or old.scope != by.scope:
        raise not_found(memory_id)
    if old.superseded_by == by.memory_id:
        return
    if old.state is not State.ACTIVE:
        raise DomainError(
            Reason.MEMORY_NOT_ACTIVE, memory_id=memory_id, superseded_by=old.superseded_by
        )
    now_us = by.update_us
    ended_us = now_us if old.valid_until_us is None else min(old.valid_until_us, now_us)
    revision, _ = next_revision(connection, old.scope)
    keep_version(connection, old, now_us)
    after = replace(
        old,
        state=State.SUPERSEDED,
        superseded_by=by.memory_id,
        valid_until_us=ended_us,
        version=old.version + 1,
        etag=new_id("etag"),
        update_us=now_us,
        updater=by.updater or by.creator,
    )
    write_in(connection, after, revision)


def _forget(connection: Connection, memory: Memory, now_us: int) -> Memory:
    revision, _ = next_revision(connection, memory.scope)
    left = forgotten(memory, now_us)
    write_in(connection, left, revision)
    this = {"b_id": memory.memory_id}
    connection.execute(_DROP_VERSIONS, this)
    connection.execute(_DROP_FACT, this)
    connection.execute(_CLEAR_DIGESTS, this)
    unlink_memory(connection, memory.scope, memory.memory_id)
    drop_sources(connection, memory.memory_id)
    connection.execute(_COUNT, {"b_scope": memory.scope, "b_more": -1})
    return left


def like_in(connection: Connection, memory: Memory) -> Memory | None:
    """What is in use and says the same."""
    at = {"b_scope": memory.scope, "b_same": same_of(memory)}
    body = connection.execute(_SAME, at).scalar()
    return memory_in(body) if body is not None else None


def get_in(connection: Connection, memory_id: str) -> Memory | None:
    """The memory as it is stored."""
    body = connection.execute(_GET, {"b_id": memory_id}).scalar_one_or_none()
    return memory_in(body) if body is not None else None


def write_in(connection: Connection, memory: Memory, revision: int) -> None:
    """Store a memory that is there in its new form."""
    row = row_of(memory, revision)
    connection.execute(_WRITE.values(row), {"b_id": memory.memory_id})
    # Of what it has said no vector is kept, nor added by a server that is just making one.
    place, vectors_of = place_of(memory.scope), [memory.memory_id]
    forget_vectors(connection, place, vectors_of, memory.update_us)


def keep_version(connection: Connection, old: Memory, now_us: int) -> None:
    """Keep what a memory was."""
    row: dict[str, Any] = {
        "memory_id": old.memory_id,
        "version": old.version,
        "create_us": now_us,
        "body": body_of(old),
    }
    _ADD_VERSION.run(connection, [row])
