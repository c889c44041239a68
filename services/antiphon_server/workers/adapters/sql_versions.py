"""Versions of workers' deployments, and which are rolled out, in a SQL database."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)

from antiphon.auth.v1 import audit_pb2
from antiphon_server.dispatcher.adapters.tables import AT_WORKERS, turns
from antiphon_server.runtime.concurrency.grouping import Grouped
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert
from antiphon_server.runtime.trail.outbox import Author, resource_of_parent
from antiphon_server.workers.adapters.tables import (
    rollouts,
    trail_outbox,
    version_changes,
    versions,
)
from antiphon_server.workers.adapters.version_room import reached
from antiphon_server.workers.limits import VersionLimits
from antiphon_server.workers.model import Begun, Parent, Release, Rollout, SeenVersion, VersionsOf

Key = tuple[Parent, Release]

_AT_ONCE = 300
_NAMED = tuple_(versions.c.parent, versions.c.deployment, versions.c.version)
_SEEN = (
    update(versions)
    .where(_NAMED.in_(bindparam("b_keys", expanding=True)))
    .values(seen_us=bindparam("b_now_us"))
    .returning(versions)
)
_COLUMNS = ", ".join(it.name for it in versions.c)
_ADD = PreparedInsert(
    versions,
    " ON CONFLICT (parent, deployment, version) DO UPDATE SET seen_us = excluded.seen_us"
    f" RETURNING {_COLUMNS}",
)
_HELD_BY = exists().where(
    text(AT_WORKERS),
    turns.c.worker_parent == versions.c.parent,
    turns.c.worker_deployment == versions.c.deployment,
    turns.c.worker_version == versions.c.version,
)
_GONE = versions.c.seen_us < bindparam("b_before_us")
_FIND_GONE = (
    select(versions.c.parent, versions.c.deployment, versions.c.version)
    .where(_GONE, ~_HELD_BY)
    .limit(bindparam("b_limit"))
)
_FORGET = delete(versions).where(_NAMED.in_(bindparam("b_keys", expanding=True)), _GONE, ~_HELD_BY)
_ALL = select(versions)
_ROLLOUTS = select(rollouts)
_ROLLOUT_AT = (
    rollouts.c.parent == bindparam("b_parent"),
    rollouts.c.deployment == bindparam("b_deployment"),
)
_VERSIONS_AT = (
    versions.c.parent == bindparam("b_parent"),
    versions.c.deployment == bindparam("b_deployment"),
)
_TURNS = (
    select(turns.c.worker_deployment, turns.c.worker_version, func.count())
    .where(text(AT_WORKERS), turns.c.worker_parent == bindparam("b_parent"))
    .group_by(turns.c.worker_deployment, turns.c.worker_version)
)
_FIRST_CHANGE = PreparedInsert(version_changes, " ON CONFLICT DO NOTHING")
_HOLD = select(version_changes.c.changes).with_for_update()
_COUNT = update(version_changes).values(changes=bindparam("b_changes"))
_CHANGES = Prepared(lambda: select(version_changes.c.changes))
_BEGUN = Prepared(
    lambda: (
        update(turns)
        .where(
            turns.c.turn_id == bindparam("b_turn_id"),
            turns.c.conversation_id == bindparam("b_conversation_id"),
            turns.c.attempt <= bindparam("b_attempt"),
            text("state < 4"),
        )
        .values(
            worker_parent=bindparam("b_parent"),
            worker_deployment=bindparam("b_deployment"),
            worker_version=bindparam("b_version"),
        )
    )
)


def _now_us() -> int:
    return time.time_ns() // 1000


class SqlVersions:
    """A :class:`~antiphon_server.workers.ports.VersionStore` in a SQL database."""

    def __init__(
        self,
        database: Database,
        now_us: Callable[[], int] = _now_us,
        limits: VersionLimits = VersionLimits(),  # noqa: B008 - frozen
    ) -> None:
        self._database, self._now_us, self._limits = database, now_us, limits
        self._begun = Grouped(self._begin_all)
        self._oldest: int | None = None
        """No version has a lower number; None as long as that is unknown."""

    async def close(self) -> None:
        await self._begun.close()

    async def register(self, keys: Collection[Key]) -> Sequence[SeenVersion]:
        found: list[SeenVersion] = []
        full: list[str] = []
        for part in _parts(keys):
            seen, limits = await self._database.write(partial(self._see, part, self._limits))
            found += seen
            full += limits
        if full and not found:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=full[0])
        return found

    async def seen(self, keys: Collection[Key]) -> Sequence[SeenVersion]:
        found: list[SeenVersion] = []
        for part in _parts(keys):
            found += (await self._database.write(partial(self._see, part, None)))[0]
        return found

    def _see(
        self, keys: Sequence[Key], limits: VersionLimits | None, connection: Connection
    ) -> tuple[list[SeenVersion], list[str]]:
        """Those, and the limits that keep others out.

        Those that are there keep their number: only for new ones others are waited for.
        """
        now_us = self._now_us()
        named = [(parent, *release) for parent, release in keys]
        rows = connection.execute(_SEEN, {"b_keys": named, "b_now_us": now_us}).all()
        there = {(row.parent, row.deployment, row.version) for row in rows}
        new = [it for it in named if it not in there]
        if not new:
            return [*map(_version, rows)], []
        number = _lock(connection)
        added: list[SeenVersion] = []
        full: list[str] = []
        for it in new:
            at_most = self._at_most(number + len(added))
            limit = reached(connection, limits, *it[:2], at_most) if limits is not None else None
            if limit is None:
                added.append(_add(connection, it, number + len(added) + 1, now_us))
            else:
                full.append(limit)
        if added:
            connection.execute(_COUNT, {"b_changes": number + len(added)})
        return [*map(_version, rows), *added], full

    def _at_most(self, newest: int) -> int | None:
        """How many versions there can be, by their numbers; None if that is unknown."""
        return None if self._oldest is None else newest - self._oldest + 1

    async def forget_gone(self, before_us: int, limit: int) -> int:
        at = {"b_before_us": before_us, "b_limit": limit}
        found = await self._database.read(lambda it: it.execute(_FIND_GONE, at).all())
        if not found:
            return 0
        keys = [tuple(row) for row in found]

        def forget(connection: Connection) -> int:
            number = _lock(connection)
            gone = connection.execute(_FORGET, {"b_keys": keys, "b_before_us": before_us}).rowcount
            connection.execute(_COUNT, {"b_changes": number + 1})
            return gone

        return await self._database.write(forget)

    async def changes(self) -> int:
        row = await self._database.read(lambda it: _CHANGES.row(it, {}), snapshot=False)
        return row[0] if row else 0

    async def all(self) -> tuple[Sequence[SeenVersion], Sequence[Rollout]]:
        def read(connection: Connection) -> tuple[list[SeenVersion], list[Rollout]]:
            seen = [_version(row) for row in connection.execute(_ALL)]
            return seen, [_rollout(row) for row in connection.execute(_ROLLOUTS)]

        seen, set_ones = await self._database.read(read)
        # Numbers are given in order: none that is lower comes later.
        self._oldest = min((it.number for it in seen), default=None)
        return seen, set_ones

    async def of(self, parent: Parent) -> VersionsOf:
        at = {"b_parent": parent}

        def read(connection: Connection) -> VersionsOf:
            seen = connection.execute(_ALL.where(_VERSIONS_AT[0]), at)
            set_ones = connection.execute(_ROLLOUTS.where(_ROLLOUT_AT[0]), at)
            counted = connection.execute(_TURNS, at)
            return VersionsOf(
                [_version(row) for row in seen],
                [_rollout(row) for row in set_ones],
                {Release(deployment, version): many for deployment, version, many in counted},
            )

        return await self._database.read(read)

    async def set(self, rollout: Rollout, etag: str) -> None:
        by = Author(trail_outbox)
        await self._database.write(lambda it: _set(it, rollout, etag, by))

    async def begin(self, begun: Begun) -> None:
        await self._begun.add(begun)

    async def _begin_all(self, all_begun: Sequence[Begun]) -> Sequence[None]:
        rows = [
            {
                "b_turn_id": it.turn_id,
                "b_conversation_id": it.conversation_id,
                "b_attempt": it.attempt,
                "b_parent": it.parent,
                "b_deployment": it.release.deployment,
                "b_version": it.release.version,
            }
            for it in all_begun
        ]
        await self._database.write(lambda it: _BEGUN.run_all(it, rows), short=True)
        return [None] * len(rows)


def _add(
    connection: Connection, key: tuple[str, str, str], number: int, now_us: int
) -> SeenVersion:
    since = {"number": number, "first_seen_us": now_us, "seen_us": now_us}
    named = dict(zip(("parent", "deployment", "version"), key, strict=True))
    (row,) = _ADD.returned(connection, [named | since])
    return _of(dict(zip([it.name for it in versions.c], row, strict=True)))


def _set(connection: Connection, rollout: Rollout, etag: str, by: Author) -> None:
    number = _lock(connection)
    at = {"b_parent": rollout.parent, "b_deployment": rollout.deployment}
    row = connection.execute(_ROLLOUTS.where(*_ROLLOUT_AT), at).one_or_none()
    before = _rollout(row) if row else Rollout(rollout.parent, rollout.deployment)
    if rollout == before:
        return
    if etag not in ("", before.etag):
        raise DomainError(Reason.ETAG_MISMATCH, etag=before.etag)
    connection.execute(delete(rollouts).where(*_ROLLOUT_AT), at)
    said: dict[str, Any] = {
        "deployment": rollout.deployment,
        "current_version": rollout.current,
        "ramping_version": rollout.ramping,
        "ramping_percent": rollout.percent,
    }
    if rollout.current:
        connection.execute(insert(rollouts), {"parent": rollout.parent, **said})
    connection.execute(_COUNT, {"b_changes": number + 1})
    event = audit_pb2.RolloutSet(resource=resource_of_parent(rollout.parent), **said)
    by.note(connection, rollout_set=event)


def _lock(connection: Connection) -> int:
    """Wait for whoever else changes something; returns how many changes there were."""
    _FIRST_CHANGE.run(connection, [{"one": 1, "changes": 0}])
    return int(connection.execute(_HOLD).scalar_one())


def _parts(keys: Collection[Key]) -> Iterator[Sequence[Key]]:
    """In one order everywhere, so that servers wait for each other in that order alone."""
    left = iter(sorted(set(keys)))
    while part := list(islice(left, _AT_ONCE)):
        yield part


def _version(row: Any) -> SeenVersion:
    return _of(row._mapping)


def _of(row: Mapping[str, Any]) -> SeenVersion:
    return SeenVersion(
        Parent(row["parent"]),
        row["deployment"],
        row["version"],
        row["number"],
        row["first_seen_us"],
        row["seen_us"],
    )


def _rollout(row: Any) -> Rollout:
    return Rollout(
        Parent(row.parent),
        row.deployment,
        row.current_version,
        row.ramping_version,
        row.ramping_percent,
    )
