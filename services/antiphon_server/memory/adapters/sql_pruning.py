"""Memories that are put away, and rules of scopes, in a SQL database."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, delete, select, update

from antiphon.memory.v1 import pruning_service_pb2 as pb
from antiphon_server.memory.adapters.memory_rows import memory_in
from antiphon_server.memory.adapters.putting import (
    get_in,
    keep_version,
    like_in,
    newest_version,
    next_revision,
    write_in,
)
from antiphon_server.memory.adapters.source_rows import check_scope
from antiphon_server.memory.adapters.tables import facts, memories, retentions
from antiphon_server.memory.adapters.version_rows import drop_returns
from antiphon_server.memory.encoding.pruning import retention_message, retention_of
from antiphon_server.memory.pruning.model import (
    Pruned,
    PruningRule,
    Retention,
    brought_back,
    put_away,
)
from antiphon_server.memory.remembered import Memory, State
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedInsert

_BEHIND = (
    select(memories.c.memory_id, memories.c.state, memories.c.body)
    .where(memories.c.scope == bindparam("b_scope"), memories.c.memory_id > bindparam("b_after"))
    .order_by(memories.c.memory_id)
    .limit(bindparam("b_limit"))
)
_MAY_FIT = (int(State.ACTIVE), int(State.SUPERSEDED))
_SAYS = facts.alias("says")
_SAID_SINCE = (  # what is in use and says something else of what the fact is about
    select(facts.c.memory_id)
    .join(_SAYS, (_SAYS.c.scope == facts.c.scope) & (_SAYS.c.topic == facts.c.topic))
    .join(memories, memories.c.memory_id == facts.c.memory_id)
    .where(
        _SAYS.c.memory_id == bindparam("b_id"),
        facts.c.memory_id != bindparam("b_id"),
        memories.c.state == int(State.ACTIVE),
    )
    .limit(1)
)
_OF_SCOPE = retentions.c.scope == bindparam("b_scope")
_RULE = select(retentions.c.body).where(_OF_SCOPE)
_SET = PreparedInsert(
    retentions,
    " ON CONFLICT (scope) DO UPDATE SET body = excluded.body, due_us = excluded.due_us",
)
_UNSET = delete(retentions).where(_OF_SCOPE)
_DUE = (
    select(retentions)
    .where(retentions.c.due_us <= bindparam("b_now"))
    .order_by(retentions.c.due_us)
    .limit(bindparam("b_limit"))
)
_TAKE = (
    update(retentions)
    .where(_OF_SCOPE, retentions.c.due_us == bindparam("b_due"))
    .values(due_us=bindparam("b_next"))
)


class SqlPruning:
    """A :class:`~antiphon_server.memory.pruning.ports.PruningStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fitting(
        self, scope: str, rule: PruningRule, now_us: int, after: str, limit: int
    ) -> tuple[Sequence[Pruned], str]:
        at = {"b_scope": scope, "b_after": after, "b_limit": limit}

        def work(connection: Connection) -> tuple[Sequence[Pruned], str]:
            rows = connection.execute(_BEHIND, at).all()
            found = [memory_in(it.body) for it in rows if it.state in _MAY_FIT]
            reasons = [(it, rule.reason(it, now_us)) for it in found]
            last = str(rows[-1].memory_id) if len(rows) == limit else ""
            return [Pruned(it, why) for it, why in reasons if why], last

        return await self._database.read(work)

    async def put_away(
        self, scope: str, rule: PruningRule, ids: Collection[str], now_us: int, actor: str
    ) -> Sequence[Pruned]:
        def work(connection: Connection) -> Sequence[Pruned]:
            next_revision(connection, scope)  # nobody changes them until the commit
            pruned = list[Pruned]()
            for memory_id in ids:
                before = get_in(connection, memory_id)
                why = rule.reason(before, now_us) if before and before.scope == scope else ""
                if before is not None and why:
                    keep_version(connection, before, now_us)
                    after = put_away(before, now_us, actor)
                    write_in(connection, after, next_revision(connection, scope)[0])
                    pruned.append(Pruned(after, why))
            return pruned

        return await self._database.write(work)

    async def bring_back(
        self, scope: str, memory_id: str, now_us: int, actor: str
    ) -> Memory | None:
        def work(connection: Connection) -> Memory | None:
            revision, _ = next_revision(connection, scope)
            now = get_in(connection, memory_id)
            if now is None or now.scope != scope:
                return None
            if now.state is not State.PRUNED or now.expired(now_us):
                return None if now.expired(now_us) else now
            before = newest_version(connection, memory_id)
            if before is None:
                return None
            after = brought_back(now, before, now_us, actor)
            since = connection.execute(_SAID_SINCE, {"b_id": memory_id}).scalar_one_or_none()
            if since is not None and after.state is State.ACTIVE:
                after = replace(after, state=State.SUPERSEDED, superseded_by=str(since))
            like = like_in(connection, after) if after.state is State.ACTIVE else None
            if like is not None:
                raise DomainError(Reason.ALREADY_EXISTS, resource=like.memory_id)
            keep_version(connection, now, now_us)
            drop_returns(connection, memory_id)
            write_in(connection, after, revision)
            return after

        return await self._database.write(work)

    async def retention(self, scope: str) -> Retention | None:
        at = {"b_scope": scope}
        body = await self._database.read(lambda it: it.execute(_RULE, at).scalar_one_or_none())
        return _retention(body) if body is not None else None

    async def set_retention(self, scope: str, retention: Retention | None, due_us: int) -> None:
        if retention is None:
            await self._database.write(lambda it: it.execute(_UNSET, {"b_scope": scope}))
            return
        body = retention_message(retention).SerializeToString(deterministic=True)
        row = {"scope": scope, "body": body, "due_us": due_us}

        def work(connection: Connection) -> None:
            check_scope(connection, scope, due_us)
            _SET.run(connection, [row])

        await self._database.write(work)

    async def due(self, now_us: int, next_us: int, limit: int) -> Sequence[tuple[str, Retention]]:
        def work(connection: Connection) -> Sequence[tuple[str, Retention]]:
            taken = list[tuple[str, Retention]]()
            for row in connection.execute(_DUE, {"b_now": now_us, "b_limit": limit}).all():
                at = {"b_scope": row.scope, "b_due": row.due_us, "b_next": next_us}
                if connection.execute(_TAKE, at).rowcount == 1:
                    taken.append((row.scope, _retention(row.body)))
            return taken

        return await self._database.write(work)


def _retention(body: bytes) -> Retention:
    return retention_of(pb.Retention.FromString(body))
