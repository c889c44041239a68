"""What is slow for some holds up nobody else, and nothing is left out for having waited."""

import asyncio
from dataclasses import dataclass, field, replace

from antiphon_server.runtime.storage.database import Database
from antiphon_server.scheduling.adapters.sql_schedules import SqlSchedules
from antiphon_server.scheduling.adapters.tables import schedules
from antiphon_server.scheduling.firing import Firing
from antiphon_server.scheduling.line import OF_WORKSPACE
from antiphon_server.scheduling.model import MINUTE_US, Cron, Outcome, Schedule
from tests.fakes.databases import on_each_kind
from tests.scheduling.test_firing import FIRST, MADE, Refusing

database = on_each_kind(lambda it: it, schedules.metadata)
SLOW, OTHER = "ws_slow_0001", "ws_other_001"
PATIENCE_S = 10.0
HOURLY = Cron("40 * * * *", "")  # FIRST is at 10:40


@dataclass
class Holding(Refusing):
    """Starts of one workspace wait; ``started`` are schedules in the order in which they began."""

    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    started: list[str] = field(default_factory=list)
    some: asyncio.Event = field(default_factory=asyncio.Event)
    full: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, schedule: Schedule, turn_id: str, due_us: int) -> bool:
        self.started.append(schedule.schedule_id)
        if sum(SLOW in it for it in self.started) == OF_WORKSPACE:
            self.full.set()
        if schedule.workspace_id == SLOW:
            await self.goes_on.wait()
        else:
            self.some.set()
        return True


def many(number: int, workspace_id: str = SLOW) -> list[Schedule]:
    """So many that are due at the first minute of an hour, each in a conversation of its own."""
    return [
        replace(
            MADE,
            schedule_id=f"sched_{workspace_id}_{it:03}",
            conversation_id=f"conv_{workspace_id}_{it:03}",
            workspace_id=workspace_id,
            life=f"life_{workspace_id}_{it}",
            when=HOURLY,
        )
        for it in range(number)
    ]


async def test_slow_starts_of_a_workspace_hold_up_no_other_one(database: Database) -> None:
    store, starter = SqlSchedules(database), Holding(None)
    (last,) = many(1, OTHER)
    for each in (*many(60), replace(last, next_us=FIRST + 1)):
        await store.add(each)
    firing = Firing(store, starter, lambda: FIRST + 1)
    looking = asyncio.ensure_future(firing.look())
    async with asyncio.timeout(PATIENCE_S):
        await starter.some.wait()
        await starter.full.wait()
        await looking
    assert last.schedule_id in starter.started
    assert len(starter.started) == OF_WORKSPACE + 1
    starter.goes_on.set()
    await firing.settle()
    assert len(starter.started) == len(set(starter.started)) == 61


async def test_what_waited_for_a_place_is_judged_by_when_it_was_seen_due(
    database: Database,
) -> None:
    store, starter, now_us = SqlSchedules(database), Holding(None), FIRST
    added = [await store.add(each) for each in many(OF_WORKSPACE + 5)]
    firing = Firing(store, starter, lambda: now_us)
    await firing.look()
    for _ in range(3):
        now_us += MINUTE_US
        await firing.look()
    starter.goes_on.set()
    await firing.settle()
    for each in added:
        (run,) = await store.runs(each.conversation_id, each.schedule_id)
        assert (run.outcome, run.due_us) == (Outcome.STARTED, FIRST)


async def test_what_another_server_has_decided_meanwhile_is_left_alone(database: Database) -> None:
    store, starter, now_us = SqlSchedules(database), Holding(None), FIRST
    for each in many(OF_WORKSPACE + 1):
        await store.add(each)
    firing = Firing(store, starter, lambda: now_us)
    await firing.look()
    await starter.full.wait()
    last = many(OF_WORKSPACE + 1)[-1]
    await store.delete(last.conversation_id, last.schedule_id)
    starter.goes_on.set()
    await firing.settle()
    assert len(starter.started) == OF_WORKSPACE


async def test_who_stops_starts_nothing_more(database: Database) -> None:
    store, starter = SqlSchedules(database), Holding(None)
    for each in many(OF_WORKSPACE + 1):
        await store.add(each)
    firing = Firing(store, starter, lambda: FIRST)
    running = asyncio.ensure_future(firing.run())
    async with asyncio.timeout(PATIENCE_S):
        await starter.full.wait()
    running.cancel()
    await asyncio.wait({running})
    starter.goes_on.set()
    await firing.settle()
    assert len(starter.started) == OF_WORKSPACE
