"""Schedules in a SQL database."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, select, tuple_, update

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedInsert
from antiphon_server.runtime.trail.outbox import Author
from antiphon_server.scheduling.adapters.noting import (
    note_created,
    note_deleted,
    note_updated,
)
from antiphon_server.scheduling.adapters.rows import row_of, run_of, run_row, schedule_of
from antiphon_server.scheduling.adapters.tables import schedule_runs, schedules, trail_outbox
from antiphon_server.scheduling.model import Due, Outcome, Position, Run, Schedule, Untold

MOST_OF_CREATOR = 100
MOST_OF_WORKSPACE = 1000
KEPT = 100
"""So many runs of a schedule."""
SAID = ("body", "at_us", "cron", "time_zone", "missed", "etag")
DUE = ("paused", "next_us", "failures")

_THIS = and_(
    schedules.c.conversation_id == bindparam("b_conversation"),
    schedules.c.schedule_id == bindparam("b_schedule"),
)
_GET = select(schedules).where(_THIS)
_HOLD = _GET.with_for_update()
_PLACE_OF_LIST = (schedules.c.created_us, schedules.c.conversation_id, schedules.c.schedule_id)
_IN_ORDER = (
    select(schedules)
    .where(
        tuple_(*_PLACE_OF_LIST)
        > tuple_(
            bindparam("b_created", type_=schedules.c.created_us.type),
            bindparam("b_conversation", type_=schedules.c.conversation_id.type),
            bindparam("b_schedule", type_=schedules.c.schedule_id.type),
        )
    )
    .order_by(*_PLACE_OF_LIST)
    .limit(bindparam("b_limit"))
)
_LIST = _IN_ORDER.where(schedules.c.conversation_id == bindparam("b_where"))
_LIST_OF_WORKSPACE = _IN_ORDER.where(schedules.c.workspace_id == bindparam("b_workspace"))
_LIST_OF_CREATOR = _IN_ORDER.where(schedules.c.creator == bindparam("b_creator"))
_PLACE = tuple_(schedules.c.next_us, schedules.c.conversation_id, schedules.c.schedule_id)
_DUE = (
    select(
        schedules.c.conversation_id,
        schedules.c.schedule_id,
        schedules.c.workspace_id,
        schedules.c.next_us,
    )
    .where(
        schedules.c.next_us <= bindparam("b_until"),
        tuple_(
            bindparam("b_next", type_=schedules.c.next_us.type),
            bindparam("b_conversation", type_=schedules.c.conversation_id.type),
            bindparam("b_schedule", type_=schedules.c.schedule_id.type),
        )
        < _PLACE,
    )
    .order_by(schedules.c.next_us, schedules.c.conversation_id, schedules.c.schedule_id)
    .limit(bindparam("b_limit"))
)
_OF_CREATOR = select(func.count()).where(schedules.c.creator == bindparam("b_creator"))
_OF_WORKSPACE = select(func.count()).where(schedules.c.workspace_id == bindparam("b_workspace"))
_ADD = PreparedInsert(schedules, " ON CONFLICT DO NOTHING")
_DELETE = delete(schedules).where(_THIS)
_RUNS_OF = and_(
    schedule_runs.c.conversation_id == bindparam("b_conversation"),
    schedule_runs.c.schedule_id == bindparam("b_schedule"),
)
_DELETE_RUNS = delete(schedule_runs).where(_RUNS_OF)
_RUNS = select(schedule_runs).where(_RUNS_OF).order_by(schedule_runs.c.due_us.desc()).limit(KEPT)
_OLDEST_KEPT = (
    select(schedule_runs.c.due_us)
    .where(_RUNS_OF)
    .order_by(schedule_runs.c.due_us.desc())
    .limit(1)
    .offset(KEPT - 1)
    .scalar_subquery()
)
_FORGET = delete(schedule_runs).where(_RUNS_OF, schedule_runs.c.due_us < _OLDEST_KEPT)
_UNTOLD = (
    select(schedule_runs)
    .where(schedule_runs.c.untold_us.is_not(None))
    .order_by(schedule_runs.c.untold_us)
    .limit(bindparam("b_limit"))
)
_TOLD = (
    update(schedule_runs)
    .where(_RUNS_OF, schedule_runs.c.due_us == bindparam("b_due"))
    .values(untold_us=None)
)
_ADD_RUN = PreparedInsert(schedule_runs, " ON CONFLICT DO NOTHING")


class SqlSchedules:
    """A :class:`~antiphon_server.scheduling.ports.ScheduleStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, schedule: Schedule) -> Schedule:
        this, by = _key(schedule.conversation_id, schedule.schedule_id), Author(trail_outbox)

        def store(connection: Connection) -> Schedule:
            known = connection.execute(_GET, this).one_or_none()
            if known is None:
                _check_limits(connection, schedule)
                _ADD.run(connection, [row_of(schedule)])
                known = connection.execute(_GET, this).one()
                if known.life == schedule.life:
                    note_created(connection, by, schedule)
            if known.creator != schedule.creator:
                raise DomainError(Reason.ALREADY_EXISTS, resource=schedule.schedule_id)
            return schedule_of(known)

        return await self._database.write(store)

    async def get(self, conversation_id: str, schedule_id: str) -> Schedule | None:
        this = _key(conversation_id, schedule_id)
        row = await self._database.read(
            lambda it: it.execute(_GET, this).one_or_none(), snapshot=False
        )
        return schedule_of(row) if row is not None else None

    async def list(self, conversation_id: str, after: Position, limit: int) -> Sequence[Schedule]:
        return await self._listed(_LIST, after, limit, b_where=conversation_id)

    async def of_workspace(
        self, workspace_id: str, after: Position, limit: int
    ) -> Sequence[Schedule]:
        return await self._listed(_LIST_OF_WORKSPACE, after, limit, b_workspace=workspace_id)

    async def of_creator(self, creator: str, after: Position, limit: int) -> Sequence[Schedule]:
        return await self._listed(_LIST_OF_CREATOR, after, limit, b_creator=creator)

    async def _listed(
        self, listed: Select[Any], after: Position, limit: int, **whose: str
    ) -> Sequence[Schedule]:
        created_us, *which = after
        behind = {**_key(*which), **whose, "b_created": created_us, "b_limit": limit}
        return await self._database.read(
            lambda it: [schedule_of(row) for row in it.execute(listed, behind)]
        )

    async def change(
        self, schedule: Schedule, before: str, *, anew: bool, named: Collection[str]
    ) -> bool:
        this, by = _key(schedule.conversation_id, schedule.schedule_id), Author(trail_outbox)
        row = row_of(schedule)
        changed = (
            update(schedules)
            .where(_THIS, schedules.c.etag == bindparam("b_before"))
            .values({name: row[name] for name in (SAID + DUE if anew else SAID)})
        )

        def store(connection: Connection) -> bool:
            was = connection.execute(changed, {**this, "b_before": before}).rowcount == 1
            if was:
                note_updated(connection, by, schedule, named)
            return was

        return await self._database.write(store)

    async def delete(self, conversation_id: str, schedule_id: str) -> None:
        this, by = _key(conversation_id, schedule_id), Author(trail_outbox)

        def store(connection: Connection) -> None:
            row = connection.execute(_HOLD, this).one_or_none()
            if row is not None:
                connection.execute(_DELETE, this)
                connection.execute(_DELETE_RUNS, this)
                note_deleted(connection, by, schedule_of(row))

        await self._database.write(store)

    async def due(self, until_us: int, after: Position, limit: int) -> Sequence[Due]:
        names = ("b_next", "b_conversation", "b_schedule")
        behind = {**dict(zip(names, after, strict=True)), "b_until": until_us, "b_limit": limit}
        return await self._database.read(lambda it: [Due(*row) for row in it.execute(_DUE, behind)])

    async def advance(self, schedule: Schedule, run: Run, next_us: int | None) -> bool:
        this = _key(schedule.conversation_id, schedule.schedule_id)
        step = {
            "next_us": next_us,
            "last_us": run.due_us,
            "last_error": run.error,
            "paused": schedule.paused,
            "failures": schedule.failures,
            **(_newest(run) if run.turn_id else {}),
        }

        def store(connection: Connection) -> bool:
            row = connection.execute(_HOLD, this).one_or_none()
            if row is None or row.life != schedule.life:
                return False
            is_due = bool(row.next_us == schedule.next_us)
            if is_due:
                connection.execute(update(schedules).where(_THIS).values(step), this)
            if is_due or run.outcome is Outcome.STARTED:
                _note(connection, schedule, run)
            return is_due

        return await self._database.write(store)

    async def note(self, schedule: Schedule, run: Run) -> None:
        """See :meth:`ScheduleStore.note`."""
        this = _key(schedule.conversation_id, schedule.schedule_id)

        def store(connection: Connection) -> None:
            row = connection.execute(_HOLD, this).one_or_none()
            if row is not None and row.life == schedule.life:
                connection.execute(update(schedules).where(_THIS).values(_newest(run)), this)
                _note(connection, schedule, run)

        await self._database.write(store)

    async def runs(self, conversation_id: str, schedule_id: str) -> Sequence[Run]:
        this = _key(conversation_id, schedule_id)
        return await self._database.read(
            lambda it: [run_of(row) for row in it.execute(_RUNS, this)]
        )

    async def untold(self, limit: int) -> Sequence[Untold]:
        at = {"b_limit": limit}
        return await self._database.read(
            lambda it: [
                Untold(row.conversation_id, row.schedule_id, run_of(row))
                for row in it.execute(_UNTOLD, at)
            ]
        )

    async def told(self, it: Untold) -> None:
        this = {**_key(it.conversation_id, it.schedule_id), "b_due": it.run.due_us}
        await self._database.write(lambda connection: connection.execute(_TOLD, this))


def _newest(run: Run) -> dict[str, Any]:
    return {"last_turn_id": run.turn_id, "last_conversation_id": run.conversation_id}


def _note(connection: Connection, schedule: Schedule, run: Run) -> None:
    this = _key(schedule.conversation_id, schedule.schedule_id)
    _ADD_RUN.run(connection, [run_row(schedule, run)])
    connection.execute(_FORGET, this)


def _check_limits(connection: Connection, schedule: Schedule) -> None:
    who = {"b_creator": schedule.creator, "b_workspace": schedule.workspace_id}
    if connection.execute(_OF_CREATOR, who).scalar_one() >= MOST_OF_CREATOR:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_OF_CREATOR} schedules a user")
    if connection.execute(_OF_WORKSPACE, who).scalar_one() >= MOST_OF_WORKSPACE:
        limit = f"{MOST_OF_WORKSPACE} schedules a workspace"
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=limit)


def _key(conversation_id: str, schedule_id: str) -> dict[str, Any]:
    return {"b_conversation": conversation_id, "b_schedule": schedule_id}
