"""A due time that has to wait is tried seldom, and then less often still."""

from dataclasses import dataclass, field, replace

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.scheduling.adapters.sql_schedules import SqlSchedules
from antiphon_server.scheduling.adapters.tables import schedules
from antiphon_server.scheduling.firing import Firing
from antiphon_server.scheduling.model import Missed, Outcome, Run, Schedule
from tests.fakes.databases import on_each_kind
from tests.scheduling.test_firing import FIRST, HERE, MADE, NAME, Refusing, looks

database = on_each_kind(lambda it: it, schedules.metadata)
ONCE = replace(MADE, when=FIRST)


@dataclass
class Counting(Refusing):
    """Knows when it was asked, in seconds behind the first; ``retry_after`` is what it answers."""

    second: float = 0.0
    retry_after: float | None = None
    tries: list[float] = field(default_factory=list)

    async def start(self, schedule: Schedule, turn_id: str, due_us: int) -> bool:
        self.tries.append(self.second)
        if self.why is not None:
            raise DomainError(self.why, retry_after=self.retry_after)
        return True


@dataclass
class Server:
    """Looks twice a second, on clocks of its own."""

    store: SqlSchedules
    starter: Counting

    def __post_init__(self) -> None:
        self.firing = Firing(
            self.store,
            self.starter,
            lambda: FIRST + int(self.starter.second * 1e6),
            clock=lambda: self.starter.second,
        )

    async def run(self, seconds: float) -> None:
        """Until then."""
        until = self.starter.second + seconds
        while self.starter.second < until:
            await looks(self.firing)
            self.starter.second += 0.5

    async def runs(self) -> list[Run]:
        return list(await self.store.runs(HERE, NAME))


@pytest.fixture
def it(database: Database) -> Server:
    return Server(SqlSchedules(database), Counting(Reason.FILTER_UNAVAILABLE))


async def test_what_stays_away_is_asked_less_and_less(it: Server) -> None:
    await it.store.add(replace(ONCE, missed=Missed.ONE))
    await it.run(60)
    assert it.starter.tries[:4] == [0, 1, 2.5, 5]
    assert len(it.starter.tries) == 9
    await it.run(540)
    assert len(it.starter.tries) == 15
    it.starter.why = None
    await it.run(300)
    assert [run.outcome for run in await it.runs()] == [Outcome.STARTED]


async def test_what_was_kept_from_starting_for_a_minute_is_missed(it: Server) -> None:
    await it.store.add(ONCE)
    await it.run(80)
    (run,) = await it.runs()
    assert (run.outcome, run.due_us) == (Outcome.SKIPPED, FIRST)


async def test_one_that_is_throttled_waits_as_long_as_it_is_told_and_is_not_paused(
    it: Server,
) -> None:
    await it.store.add(replace(ONCE, missed=Missed.ONE))
    it.starter.why, it.starter.retry_after = Reason.THROTTLED, 20.0
    await it.run(101)
    assert it.starter.tries == [0, 20, 40, 60, 80, 100]
    it.starter.why = None
    await it.run(20)
    assert [run.outcome for run in await it.runs()] == [Outcome.STARTED]


async def test_a_turn_that_starts_forgets_how_long_others_had_to_wait(it: Server) -> None:
    await it.store.add(MADE)
    await it.run(22.5)
    assert it.starter.tries[-1] > 20
    it.starter.why = None
    await it.run(20)
    it.starter.why = Reason.OVERLOADED
    it.starter.second = 60
    it.starter.tries.clear()
    await it.run(3)
    assert it.starter.tries == [60, 61, 62.5]
