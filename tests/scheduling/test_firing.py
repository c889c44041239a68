"""What becomes of due times whose turns are refused."""

import asyncio
from dataclasses import dataclass, field

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.scheduling.adapters.sql_schedules import SqlSchedules
from antiphon_server.scheduling.adapters.tables import schedules
from antiphon_server.scheduling.firing import FAILURES_TO_PAUSE, Firing
from antiphon_server.scheduling.model import MINUTE_US, Cron, Outcome, Schedule
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, schedules.metadata)
FIRST = 1_000_000 * MINUTE_US
HERE, NAME = "conv_00000001", "sched_00000001"
MADE = Schedule(
    NAME,
    HERE,
    "ws_00000001",
    "users/user_00000001",
    0,
    "life_1",
    b"",
    Cron("* * * * *", ""),
    next_us=FIRST,
)


@dataclass
class Refusing:
    """Nobody may start anything, as long as there is a reason."""

    why: Reason | None

    def place(self, schedule: Schedule, turn_id: str) -> str:
        return schedule.conversation_id

    async def ours(self, schedule: Schedule, turn_id: str) -> bool:
        return True

    async def start(self, schedule: Schedule, turn_id: str, due_us: int) -> bool:
        if self.why is not None:
            raise DomainError(self.why)
        return True

    async def came(self, schedule: Schedule, turn_id: str) -> bool:
        return False


async def looks(firing: Firing) -> None:
    """Once, until what it has found is decided."""
    await firing.look()
    await firing.settle()


@dataclass
class Stage:
    """A schedule that is due each minute, and a server that looks."""

    store: SqlSchedules
    starter: Refusing

    async def look(self, minute: int, late_us: int = 0) -> Schedule:
        """At a minute behind the first; the schedule as it is then."""
        await looks(Firing(self.store, self.starter, lambda: FIRST + minute * MINUTE_US + late_us))
        now = await self.store.get(HERE, NAME)
        assert now is not None
        return now


@pytest.fixture
async def it(database: Database) -> Stage:
    store = SqlSchedules(database)
    await store.add(MADE)
    return Stage(store, Refusing(Reason.NOT_FOUND))


async def test_behind_some_failures_in_a_row_it_is_paused(it: Stage) -> None:
    for minute in range(FAILURES_TO_PAUSE):
        now = await it.look(minute)
        assert (now.last_error, now.failures) == ("NOT_FOUND", minute + 1)
    assert (now.paused, now.next_us) == (True, None)
    assert {run.outcome for run in await it.store.runs(HERE, NAME)} == {Outcome.FAILED}


async def test_a_turn_that_starts_forgets_failures(it: Stage) -> None:
    await it.look(0)
    it.starter.why = None
    now = await it.look(1)
    assert (now.failures, now.last_error, now.paused) == (0, "", False)


@pytest.mark.parametrize(
    "away", ["STORE_UNAVAILABLE", "FILTER_UNAVAILABLE", "LIMIT_EXCEEDED", "THROTTLED"]
)
async def test_what_is_away_for_a_moment_leaves_it_due_until_it_is_missed(
    it: Stage, away: str
) -> None:
    it.starter.why = Reason[away]
    now = await it.look(0, late_us=59_000_000)
    assert (now.next_us, now.last_error) == (FIRST, "")
    it.starter.why = None
    now = await it.look(0, late_us=59_500_000)
    assert (now.next_us, now.last_us) == (FIRST + MINUTE_US, FIRST)


@dataclass
class Slow(Refusing):
    """A server that decides about the conversation, and has begun to start a turn."""

    began: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, schedule: Schedule, turn_id: str, due_us: int) -> bool:
        self.began.set()
        await self.goes_on.wait()
        return True


class Beside(Refusing):
    """One that decides nothing there."""

    async def ours(self, schedule: Schedule, turn_id: str) -> bool:
        return False


async def test_what_another_server_is_just_starting_is_not_left_out(it: Stage) -> None:
    """Its clock is ahead: to it a newer one is due, and the one that is started was missed."""
    slow = Slow(None)
    starting = Firing(it.store, slow, lambda: FIRST + MINUTE_US - 1)
    await starting.look()
    await slow.began.wait()
    await looks(Firing(it.store, Beside(None), lambda: FIRST + MINUTE_US + 1))
    slow.goes_on.set()
    await starting.settle()
    (run,) = await it.store.runs(HERE, NAME)
    assert (run.outcome, run.due_us) == (Outcome.STARTED, FIRST)


async def test_who_decides_nothing_there_says_nothing_of_a_refusal(it: Stage) -> None:
    await looks(Firing(it.store, Beside(Reason.USER_DISABLED), lambda: FIRST))
    assert await it.store.runs(HERE, NAME) == []
