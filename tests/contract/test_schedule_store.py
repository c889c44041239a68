"""Every store keeps schedules, and what became of their due times."""

import asyncio
from dataclasses import replace

import pytest

from antiphon.auth.v1.audit_pb2 import ScheduleCreated, ScheduleDeleted, ScheduleUpdated
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.scheduling.adapters.sql_schedules import (
    KEPT,
    MOST_OF_CREATOR,
    MOST_OF_WORKSPACE,
    SqlSchedules,
)
from antiphon_server.scheduling.adapters.tables import schedules, trail_outbox
from antiphon_server.scheduling.model import (
    FIRST,
    Cron,
    Due,
    Missed,
    Outcome,
    Run,
    Schedule,
    Untold,
)
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind
from tests.fakes.newer import VALUE

database = on_each_kind(lambda it: it, schedules.metadata)
HERE, ANN, BOB = "conv_00000001", "users/user_0000000ann", "users/user_0000000bob"
ONE = Schedule(
    "sched_00000001",
    HERE,
    "ws_00000001",
    ANN,
    1000,
    "life_1",
    b"body",
    Cron("0 9 * * MON-FRI", "Europe/Berlin"),
    Missed.ALL,
    api_keys=("key_1", "key_2"),
    etag="etag_1",
    next_us=2000,
)
TWO = replace(ONE, schedule_id="sched_00000002", life="life_2", when=5000, next_us=5000)


def started(due_us: int, turn_id: str = "turn_00000001") -> Run:
    """A run."""
    return Run(due_us, due_us + 7, Outcome.STARTED, turn_id)


@pytest.fixture
def store(database: Database) -> SqlSchedules:
    return SqlSchedules(database)


async def due(store: SqlSchedules, until_us: int, limit: int = 100) -> list[str]:
    """Their ids, page by page."""
    found: list[Due] = []
    after = FIRST
    while page := await store.due(until_us, after, limit):
        found += page
        after = page[-1].position
    assert {it.workspace_id for it in found} <= {ONE.workspace_id}
    return [it.schedule_id for it in found]


async def test_they_come_back_as_they_were_made(store: SqlSchedules) -> None:
    assert await store.get(HERE, ONE.schedule_id) is None
    for each in (ONE, TWO, replace(ONE, conversation_id="conv_00000002")):
        assert await store.add(each) == each
        assert await store.get(each.conversation_id, each.schedule_id) == each
    assert await store.list(HERE, FIRST, 10) == [ONE, TWO]
    assert await store.list(HERE, FIRST, 1) == [ONE]
    assert await store.list(HERE, (1000, HERE, ONE.schedule_id), 10) == [TWO]


async def test_the_first_of_an_id_counts_and_is_its_creators(store: SqlSchedules) -> None:
    await store.add(ONE)
    assert await store.add(replace(ONE, body=b"other", life="life_9")) == ONE
    with Refused(Reason.ALREADY_EXISTS):
        await store.add(replace(ONE, creator=BOB))
    both = await asyncio.gather(*(store.add(replace(TWO, life=f"life_{it}")) for it in range(4)))
    assert len({it.life for it in both}) == 1


async def test_a_user_and_a_workspace_have_so_many(store: SqlSchedules) -> None:
    for number in range(MOST_OF_CREATOR):
        await store.add(replace(ONE, schedule_id=f"sched_{number:08}"))
    with Refused(Reason.LIMIT_EXCEEDED):
        await store.add(replace(ONE, schedule_id="sched_of_too_many"))
    assert await store.add(replace(ONE, schedule_id="sched_00000007"))
    for number in range(MOST_OF_WORKSPACE - MOST_OF_CREATOR):
        bobs = replace(ONE, creator=f"{BOB}{number % 20}", schedule_id=f"sched_bob{number:08}")
        await store.add(bobs)
    with Refused(Reason.LIMIT_EXCEEDED):
        await store.add(replace(ONE, creator=BOB, schedule_id="sched_of_too_many"))
    away = replace(ONE, creator=BOB, schedule_id="sched_away0000", workspace_id="ws_00000002")
    assert await store.add(away) == away


async def test_what_is_due_comes_in_order(store: SqlSchedules) -> None:
    later = replace(ONE, schedule_id="sched_00000000", next_us=2001)
    never = replace(ONE, schedule_id="sched_00000009", next_us=None)
    for each in (TWO, later, never, ONE):
        await store.add(each)
    everything = [ONE.schedule_id, later.schedule_id, TWO.schedule_id]
    assert await due(store, 10_000) == await due(store, 10_000, 1) == everything
    assert await due(store, 2000) == [ONE.schedule_id]
    assert await due(store, 1999) == []


async def test_a_due_time_is_decided_once(store: SqlSchedules) -> None:
    await store.add(ONE)
    assert await store.advance(ONE, started(2000), 3000)
    now = await store.get(HERE, ONE.schedule_id)
    assert now == replace(ONE, next_us=3000, last_us=2000, last_turn_id="turn_00000001")
    left_out = Run(2500, 9000, Outcome.SKIPPED, skipped=4)
    assert not await store.advance(ONE, left_out, 9999)
    assert not await store.advance(ONE, started(2000), 9999)
    assert await store.get(HERE, ONE.schedule_id) == now
    assert await store.runs(HERE, ONE.schedule_id) == [started(2000)]


async def test_of_servers_that_decide_at_once_one_does(store: SqlSchedules) -> None:
    await store.add(ONE)
    runs = [Run(2000, it, Outcome.SKIPPED, skipped=it) for it in range(1, 5)]
    was_due = await asyncio.gather(*(store.advance(ONE, run, 3000 + run.skipped) for run in runs))
    assert sum(was_due) == 1
    assert await store.runs(HERE, ONE.schedule_id) == [runs[was_due.index(True)]]


async def test_failures_are_kept_and_forgotten_by_the_next_turn(store: SqlSchedules) -> None:
    await store.add(ONE)
    failed = Run(2000, 2001, Outcome.FAILED, error="NOT_FOUND")
    await store.advance(replace(ONE, failures=5, paused=True), failed, None)
    now = await store.get(HERE, ONE.schedule_id)
    assert now == replace(
        ONE, next_us=None, last_us=2000, last_error="NOT_FOUND", failures=5, paused=True
    )


async def test_who_has_seen_another_changes_nothing(store: SqlSchedules) -> None:
    await store.add(ONE)
    changed = replace(ONE, body=b"new", when=77, missed=Missed.ONE, etag="etag_2", next_us=77)
    assert not await store.change(changed, "etag_0", anew=True, named=["when"])
    assert await store.change(changed, "etag_1", anew=True, named=["when"])
    assert not await store.change(
        replace(changed, etag="etag_3"), "etag_1", anew=True, named=["when"]
    )
    assert await store.get(HERE, ONE.schedule_id) == changed


async def test_a_change_of_what_is_said_undoes_no_due_time(store: SqlSchedules) -> None:
    """One may be decided between its reading and its writing."""
    await store.add(ONE)
    await store.advance(ONE, started(2000), 3000)
    assert await store.change(
        replace(ONE, body=b"new", etag="etag_2"), "etag_1", anew=False, named=["parts"]
    )
    now = await store.get(HERE, ONE.schedule_id)
    assert now is not None
    assert (now.body, now.next_us, now.last_us) == (b"new", 3000, 2000)


async def test_one_that_is_gone_leaves_nothing_and_another_of_its_id_is_another(
    store: SqlSchedules,
) -> None:
    await store.add(ONE)
    await store.advance(ONE, started(2000), 3000)
    for _ in range(2):
        await store.delete(HERE, ONE.schedule_id)
    assert await store.get(HERE, ONE.schedule_id) is None
    assert await store.runs(HERE, ONE.schedule_id) == []
    again = replace(ONE, life="life_9")
    await store.add(again)
    assert not await store.advance(ONE, started(2000), 3000)
    await store.note(ONE, started(2000))
    assert await store.get(HERE, ONE.schedule_id) == again
    assert await store.runs(HERE, ONE.schedule_id) == []


async def test_the_newest_runs_are_kept(store: SqlSchedules) -> None:
    await store.add(ONE)
    await store.add(TWO)
    await store.note(TWO, started(1))
    for number in range(KEPT + 3):
        await store.note(ONE, started(2000 + number))
    runs = await store.runs(HERE, ONE.schedule_id)
    assert [it.due_us for it in runs] == list(range(2000 + KEPT + 2, 2002, -1))
    assert len(await store.runs(HERE, TWO.schedule_id)) == 1
    now = await store.get(HERE, ONE.schedule_id)
    assert now is not None
    assert (now.next_us, now.last_us) == (2000, None)


async def test_those_of_a_workspace_and_of_somebody_come_page_by_page(store: SqlSchedules) -> None:
    other = replace(ONE, conversation_id="conv_00000000", creator=BOB)
    away = replace(ONE, conversation_id="conv_00000002", workspace_id="ws_00000002")
    first = replace(ONE, conversation_id="conv_00000003", created_us=999)
    for each in (TWO, away, ONE, other, first):
        await store.add(each)
    here = "ws_00000001"
    assert await store.of_workspace(here, FIRST, 10) == [first, other, ONE, TWO]
    assert await store.of_workspace(here, FIRST, 1) == [first]
    assert await store.of_workspace(here, (1000, HERE, ONE.schedule_id), 10) == [TWO]
    assert await store.of_creator(ANN, FIRST, 10) == [first, ONE, TWO, away]
    assert await store.of_creator(ANN, (1000, HERE, TWO.schedule_id), 10) == [away]


async def test_what_came_to_nothing_is_to_be_told_until_it_is(store: SqlSchedules) -> None:
    await store.add(ONE)
    await store.add(TWO)
    left_out = Run(2000, 9000, Outcome.SKIPPED, skipped=4)
    failed = Run(5000, 8000, Outcome.FAILED, error="NOT_FOUND", paused=True)
    await store.advance(ONE, left_out, 3000)
    await store.advance(TWO, failed, None)
    await store.note(ONE, started(2500))
    first, second = Untold(HERE, TWO.schedule_id, failed), Untold(HERE, ONE.schedule_id, left_out)
    assert await store.untold(10) == [first, second]
    assert await store.untold(1) == [first]
    for _ in range(2):
        await store.told(first)
    assert await store.untold(10) == [second]
    await store.delete(HERE, ONE.schedule_id)
    assert await store.untold(10) == []


async def test_where_the_newest_turn_is_stays_known(store: SqlSchedules) -> None:
    await store.add(ONE)
    run = replace(started(2000), conversation_id="conv_of_the_run")
    await store.advance(ONE, run, 3000)
    failed = Run(3000, 3001, Outcome.FAILED, error="NOT_FOUND")
    await store.advance(replace(ONE, next_us=3000), failed, 4000)
    now = await store.get(HERE, ONE.schedule_id)
    assert now is not None
    assert (now.last_turn_id, now.last_conversation_id) == (run.turn_id, "conv_of_the_run")
    assert await store.runs(HERE, ONE.schedule_id) == [failed, run]


async def test_the_audit_trail_is_to_be_told_who_changed_what(
    store: SqlSchedules, database: Database
) -> None:
    """With the change itself, and of what changed nothing not at all."""
    set_principal(Principal("user", UserId("user_0000000bob"), SessionId("sess_1")))
    for _ in range(2):
        await store.add(ONE)
    changed = replace(ONE, when=77_000_000, etag="etag_2")
    for _ in range(2):
        await store.change(changed, "etag_1", anew=True, named=["when", "parts"])
    for _ in range(2):
        await store.delete(HERE, ONE.schedule_id)
    waits = await SqlOutbox(database, trail_outbox).first(0, 10)
    events = [RecordSecurityEventsRequest.FromString(it.body).events[0] for _, it in waits]
    assert {(it.actor, it.user_id) for it in events} == {(BOB, "user_0000000ann")}
    where = {"resource": f"conversations/{HERE}", "schedule_id": ONE.schedule_id}
    created, updated, deleted = events
    due = "0 9 * * MON-FRI Europe/Berlin"
    assert created.schedule_created == ScheduleCreated(due=due, **where)
    assert updated.schedule_updated == ScheduleUpdated(
        changed=["parts", "when"], due="1970-01-01T00:01:17+00:00", **where
    )
    assert deleted.schedule_deleted == ScheduleDeleted(**where)


async def test_what_a_newer_server_stored_is_read(store: SqlSchedules) -> None:
    """A policy, and what became of a due time: it holds up no other schedule."""
    newer = replace(ONE, missed=Missed(VALUE))
    await store.add(newer)
    await store.add(TWO)
    assert await store.get(HERE, ONE.schedule_id) == newer
    assert await due(store, 5000) == [ONE.schedule_id, TWO.schedule_id]
    run = Run(2000, 2007, Outcome(VALUE))
    await store.advance(newer, run, 9000)
    assert [it.outcome for it in await store.runs(HERE, ONE.schedule_id)] == [VALUE]
