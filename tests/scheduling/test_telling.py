"""What came to nothing is told once, whatever ends in between."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.scheduling.adapters.run_metrics import RunMetrics
from antiphon_server.scheduling.adapters.sql_schedules import SqlSchedules
from antiphon_server.scheduling.adapters.tables import schedules
from antiphon_server.scheduling.firing import FAILURES_TO_PAUSE, Firing
from antiphon_server.scheduling.model import MINUTE_US, Outcome, Run, Untold
from antiphon_server.scheduling.telling import Telling
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind
from tests.scheduling.test_firing import FIRST, HERE, MADE, NAME, Refusing, looks

database = on_each_kind(lambda it: it, schedules.metadata)


@dataclass
class Hearing:
    """A log that keeps what it is told, but for a reason."""

    why: Reason | None = None
    heard: list[Untold] = field(default_factory=list)

    async def announce(self, it: Untold) -> None:
        if self.why is not None:
            raise DomainError(self.why)
        self.heard.append(it)

    @property
    def runs(self) -> Sequence[Run]:
        return [it.run for it in self.heard]


@pytest.fixture
async def store(database: Database) -> SqlSchedules:
    store = SqlSchedules(database)
    await store.add(MADE)
    return store


async def look(store: SqlSchedules, why: Reason | None, minute: int, watch: RunMetrics) -> None:
    """A server looks at a minute behind the first."""
    now_us = FIRST + minute * MINUTE_US
    await looks(Firing(store, Refusing(why), lambda: now_us, watch))


async def test_each_failure_is_told_once_and_the_last_one_pauses(store: SqlSchedules) -> None:
    log, watch = Hearing(), RunMetrics()
    for minute in range(FAILURES_TO_PAUSE):
        await look(store, Reason.USER_DISABLED, minute, watch)
        for _ in range(2):
            await Telling(store, log).look()
    assert [it.due_us for it in log.runs] == [
        FIRST + minute * MINUTE_US for minute in range(FAILURES_TO_PAUSE)
    ]
    assert {(it.outcome, it.error) for it in log.runs} == {(Outcome.FAILED, "USER_DISABLED")}
    assert [it.paused for it in log.runs] == [False] * 4 + [True]
    assert {(it.conversation_id, it.schedule_id) for it in log.heard} == {(HERE, NAME)}


async def test_what_is_left_out_is_told_and_what_started_is_not(store: SqlSchedules) -> None:
    log, watch = Hearing(), RunMetrics()
    await look(store, None, 7, watch)
    await Telling(store, log).look()
    (run,) = log.runs
    assert (run.outcome, run.skipped, run.due_us) == (Outcome.SKIPPED, 7, FIRST + 6 * MINUTE_US)


async def test_a_log_that_is_away_is_told_later_and_one_that_refuses_never_again(
    store: SqlSchedules,
) -> None:
    log = Hearing(Reason.SERVICE_UNAVAILABLE)
    await look(store, Reason.NOT_FOUND, 0, RunMetrics())
    with Refused(Reason.SERVICE_UNAVAILABLE):
        await Telling(store, log).look()
    log.why = Reason.INVALID_ARGUMENT
    await Telling(store, log).look()
    log.why = None
    await Telling(store, log).look()
    assert log.heard == []


async def test_what_becomes_of_due_times_is_counted(store: SqlSchedules) -> None:
    watch = RunMetrics()
    await look(store, Reason.NOT_FOUND, 0, watch)
    await look(store, Reason.OVERLOADED, 1, watch)
    assert _samples(watch)["antiphon_schedules_due"] == 1
    await look(store, None, 1, watch)
    await look(store, None, 2, watch)
    await look(store, None, 6, watch)
    assert _samples(watch) == {
        "antiphon_schedules_due": 1,
        "started": 3,
        "skipped": 3,
        "failed": 1,
        "antiphon_schedule_lag_seconds_count": 3,
        "antiphon_schedule_lag_seconds_sum": 0,
    }
    await look(store, None, 6, watch)
    assert _samples(watch)["antiphon_schedules_due"] == 0


def _samples(watch: RunMetrics) -> dict[str, float]:
    found = [it for family in watch.collect() for it in family.samples]
    return {
        it.labels.get("outcome", it.name): it.value
        for it in found
        if not it.name.endswith(("_bucket", "_created"))
    }
