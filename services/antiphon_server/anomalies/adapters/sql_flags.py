"""Flags in a SQL database."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from antiphon.auth.v1 import audit_pb2
from antiphon.context.v1.anomaly_pb2 import Flag as FlagMessage
from antiphon_server.anomalies.adapters.tables import flags, trail_outbox
from antiphon_server.anomalies.encoding import flag_message, flag_of
from antiphon_server.anomalies.model import NAMES, Detector, Effect, Flag, Key, Raised, Throttle
from antiphon_server.anomalies.ports import Wanted
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.forgetting import forget_in_batches
from antiphon_server.runtime.trail.outbox import Author, resource_of_parent

KEPT_US = 90 * 86_400 * 1_000_000
_TRIES = 5
"""Servers that find the same at once open it one after the other."""
FORGIVEN_US = 1_000_000
"""What is found so soon after a flag was cleared is what it was cleared of: others learn late."""


MOST_OPEN = 10_000
"""So many flags of a parent are open at a time: who is found beyond is not flagged."""
_AT_ONCE = 500


def _now_us() -> int:
    return time.time_ns() // 1000


class SqlFlags:
    """See :class:`~antiphon_server.anomalies.ports.FlagStore`."""

    def __init__(self, database: Database, now_us: Callable[[], int] = _now_us) -> None:
        self._database, self._now_us = database, now_us

    async def raise_all(self, raised: Sequence[Raised]) -> Sequence[Flag]:
        """See :meth:`FlagStore.raise_all`."""
        by, now_us = Author(trail_outbox), self._now_us()
        wanted = {_open_key(it.key): it for it in raised}

        def store(connection: Connection) -> list[Flag]:
            query = select(flags.c.body).where(flags.c.open_key.in_(wanted)).with_for_update()
            found = {it.key: it for it in _flags(connection, query)}
            forgiven = _cleared(connection, min(it.last_us for it in raised))
            news = [it for it in raised if it.last_us > forgiven.get(it.key, 0)]
            room = _Room(connection)
            news = [it for it in news if it.key in found or room.takes(it.key.parent)]
            return [_put(connection, it, found.get(it.key), now_us, by) for it in news]

        for _ in range(_TRIES):
            with suppress(IntegrityError):  # another server has just opened one: it is there now
                return await self._database.write(store)
        raise DomainError(Reason.STORE_UNAVAILABLE)

    async def list(self, wanted: Wanted) -> Sequence[Flag]:
        """See :meth:`FlagStore.list`."""
        query = _listing(wanted)
        return await self._database.read(lambda it: _flags(it, query))

    async def get(self, parent: str, flag_id: str) -> Flag | None:
        """See :meth:`FlagStore.get`."""
        query = _one(parent, flag_id)
        found = await self._database.read(lambda it: _flags(it, query))
        return found[0] if found else None

    async def clear(self, parent: str, flag_id: str, reason: str) -> Flag | None:
        """See :meth:`FlagStore.clear`."""
        by, who, now_us = Author(trail_outbox), current_principal().actor, self._now_us()
        query = _one(parent, flag_id).with_for_update()

        def store(connection: Connection) -> Flag | None:
            found = _flags(connection, query)
            if not found or found[0].cleared_us:
                return found[0] if found else None
            times = replace(found[0], cleared_us=now_us, changed_us=now_us)
            cleared = replace(times, cleared_by=who, reason=reason)
            _store(connection, cleared)
            by.note(connection, flag_cleared=_told_cleared(cleared))
            return cleared

        return await self._database.write(store)

    async def open_by_effect(self) -> Mapping[Effect, int]:
        """See :meth:`FlagStore.open_by_effect`."""
        query = select(flags.c.effect, func.count()).where(flags.c.cleared_us == 0)
        rows = await self._database.read(lambda it: it.execute(query.group_by("effect")).all())
        return {Effect(effect): count for effect, count in rows}

    async def throttles(self) -> Sequence[Throttle]:
        """See :meth:`FlagStore.throttles`."""
        biting = (
            select(flags.c.body)
            .where(flags.c.effect == Effect.THROTTLE, flags.c.effect_end_us > self._now_us())
            .where(flags.c.cleared_us == 0)
        )
        found = await self._database.read(lambda it: _flags(it, biting))
        return [Throttle(it.key, it.effect_end_us, it.throttle_per_minute) for it in found]

    async def changed_since(self, since_us: int) -> Mapping[str, int]:
        """See :meth:`FlagStore.changed_since`."""
        query = select(flags.c.flag_id, flags.c.changed_us).where(flags.c.changed_us >= since_us)
        rows = await self._database.read(lambda it: it.execute(query).all())
        return {it.flag_id: it.changed_us for it in rows}

    async def these(self, flag_ids: Collection[str]) -> Sequence[Flag]:
        """See :meth:`FlagStore.these`."""
        ids = list(flag_ids)
        queries = [
            select(flags.c.body).where(flags.c.flag_id.in_(ids[at : at + _AT_ONCE]))
            for at in range(0, len(ids), _AT_ONCE)
        ]
        return [
            flag
            for query in queries
            for flag in await self._database.read(lambda it, query=query: _flags(it, query))  # type: ignore[misc]
        ]

    async def forget(self) -> None:
        """Remove those that were cleared more than 90 days ago."""
        old = flags.c.cleared_us.between(1, self._now_us() - KEPT_US)
        await forget_in_batches(self._database, flags, old)


def _flags(connection: Connection, query: Select[Any]) -> list[Flag]:
    return [flag_of(FlagMessage.FromString(it)) for it in connection.execute(query).scalars()]


class _Room:
    """How many more flags parents may have open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._left: dict[str, int] = {}

    def takes(self, parent: str) -> bool:
        """Whether one more; then it has it."""
        if parent not in self._left:
            is_open = flags.c.parent == parent, flags.c.cleared_us == 0
            some = select(flags.c.flag_id).where(*is_open).limit(MOST_OPEN).subquery()
            count = self._connection.execute(select(func.count()).select_from(some)).scalar_one()
            self._left[parent] = MOST_OPEN - count
        self._left[parent] -= 1
        return self._left[parent] >= 0


def _cleared(connection: Connection, since_us: int) -> Mapping[Key, int]:
    """Until when what is found is forgiven, of all that were cleared about then or later."""
    query = select(flags.c.body).where(flags.c.cleared_us >= max(1, since_us - FORGIVEN_US))
    return {it.key: it.cleared_us + FORGIVEN_US for it in _flags(connection, query)}


def _one(parent: str, flag_id: str) -> Select[Any]:
    query = select(flags.c.body).where(flags.c.flag_id == flag_id)
    return query.where(flags.c.parent == parent) if parent else query


def _listing(wanted: Wanted) -> Select[Any]:
    place = tuple_(flags.c.changed_us, flags.c.flag_id)
    newest = flags.c.changed_us.desc(), flags.c.flag_id.desc()
    query = select(flags.c.body).order_by(*newest).limit(wanted.limit)
    if wanted.parent:
        query = query.where(flags.c.parent == wanted.parent)
    if wanted.subject:
        query = query.where(flags.c.subject == wanted.subject)
    if not wanted.cleared:
        query = query.where(flags.c.cleared_us == 0)
    if wanted.changed_after_us:
        query = query.where(flags.c.changed_us > wanted.changed_after_us)
    return query.where(place < wanted.before) if wanted.before is not None else query


def _put(
    connection: Connection, raised: Raised, known: Flag | None, now_us: int, by: Author
) -> Flag:
    """Add to what is open, or open another."""
    if known is not None:
        now = _added(known, raised, now_us)
        _store(connection, now)
    else:
        now = _opened(raised, now_us)
        connection.execute(insert(flags), _row(now))
    if now.effect not in (Effect.NONE, known and known.effect):
        by.note(connection, flag_raised=_told_raised(now))
    return now


def _opened(it: Raised, now_us: int) -> Flag:
    detector, signal = it.detector, it.signal
    return Flag(
        new_id("flag"),
        it.key,
        NAMES[type(detector.kind)],
        signal.user,
        signal.workspace,
        signal.conversation,
        it.found.score,
        it.found.evidence,
        max(1, it.count),
        it.first_us,
        it.last_us,
        detector.effect,
        _effect_end(it, now_us),
        _per_minute(detector),
        now_us,
    )


def _added(known: Flag, it: Raised, now_us: int) -> Flag:
    """It does what its detector says now: who sees a flag may choose what it does then."""
    detector, end_us = it.detector, _effect_end(it, now_us)
    higher = it.found.score >= known.score
    return replace(
        known,
        score=max(known.score, it.found.score),
        evidence=it.found.evidence if higher else known.evidence,
        count=known.count + it.count,
        last_us=max(known.last_us, it.last_us),
        effect=detector.effect,
        effect_end_us=end_us and max(known.effect_end_us, end_us),
        throttle_per_minute=_per_minute(detector),
        changed_us=now_us,
    )


def _per_minute(it: Detector) -> int:
    return it.throttle_per_minute if it.effect is Effect.THROTTLE else 0


def _effect_end(it: Raised, now_us: int) -> int:
    detector = it.detector
    return 0 if detector.effect is Effect.NONE else now_us + int(detector.effect_s * 1e6)


def _store(connection: Connection, it: Flag) -> None:
    connection.execute(update(flags).where(flags.c.flag_id == it.flag_id), _row(it))


def _row(it: Flag) -> dict[str, Any]:
    return {
        "flag_id": it.flag_id,
        "parent": it.key.parent,
        "subject": it.key.subject,
        "open_key": it.flag_id if it.cleared_us else _open_key(it.key),
        "effect": it.effect,
        "effect_end_us": it.effect_end_us,
        "cleared_us": it.cleared_us,
        "changed_us": it.changed_us,
        "body": flag_message(it).SerializeToString(deterministic=True),
    }


def _open_key(it: Key) -> str:
    return f"{it.parent} {it.detector} {it.subject}"


def _told_raised(it: Flag) -> audit_pb2.FlagRaised:
    return audit_pb2.FlagRaised(
        resource=resource_of_parent(it.key.parent),
        flag_id=it.flag_id,
        detector=it.key.detector,
        subject=it.key.subject,
        effect=it.effect.name.lower(),
    )


def _told_cleared(it: Flag) -> audit_pb2.FlagCleared:
    return audit_pb2.FlagCleared(
        resource=resource_of_parent(it.key.parent),
        flag_id=it.flag_id,
        detector=it.key.detector,
        subject=it.key.subject,
        reason=it.reason,
    )
