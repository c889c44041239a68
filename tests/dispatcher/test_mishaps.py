"""A store that refuses, hangs or answers late, and callers that give up, at bad moments."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from structlog.testing import capture_logs

from antiphon.events.v1 import event_pb2
from antiphon_server.dispatcher.handling import Work
from antiphon_server.dispatcher.model import LossPolicy, Policy, State
from antiphon_server.events.model import Append, Appended, NewEvent
from antiphon_server.runtime.concurrency.retry_policies import TURN
from antiphon_server.runtime.errors import DomainError, Reason, unavailable
from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.stand_ins import SlowStore, SlowToSay, Told
from tests.dispatcher.world import CONVERSATION, World, turn_id, world
from tests.e2e.refusals import Refused
from tests.e2e.until import SOON_S

Commits = Callable[[NewEvent], bool]
AWAY = DomainError(Reason.STORE_UNAVAILABLE)
ELSEWHERE = unavailable("events")


def saying(word: str) -> Commits:
    """Those of an event with ``word`` in it."""
    return lambda event: word in str(event.body)


def telling(step: str) -> Commits:
    """Those of an event of that kind."""
    kind = event_pb2.EventKind.Value(f"EVENT_KIND_{step}")
    return lambda event: event.kind == kind


@dataclass
class Mishap:
    """The log's store refuses some commits, or the first ``times`` of them, and counts that.

    Those that ``stand`` are made all the same; an answer may come ``late_s`` later.
    """

    commits: Commits
    error: DomainError = AWAY
    times: int = 1 << 30
    stands: bool = False
    late_s: float = 0.0
    refused: int = 0

    def befall(self, it: World) -> None:
        """Happen from now on."""
        append = it.log_store.append

        async def refusing(batch: Sequence[Append]) -> list[Appended | DomainError]:
            meant = any(self.commits(event) for one in batch for event in one.events)
            if not meant or self.refused == self.times:
                return await append(batch)
            self.refused += 1
            if self.stands:
                await append(batch)
            await asyncio.sleep(self.late_s)
            raise self.error

        it.log_store.append = refusing  # type: ignore[method-assign]


@pytest.mark.parametrize("stands", [False, True])
async def test_an_answer_has_no_hole_where_a_commit_failed(it: World, stands: bool) -> None:
    """What was committed is the message, whether or not the failed commit stands after all."""
    Mishap(saying("two"), times=1, stands=stands).befall(it)
    await it.dispatch()
    for word in ("one ", "two ", "three "):
        it.told.say(word)
        await asyncio.sleep(0.05)
    it.told.say(None)
    turn = await it.ended()
    assert turn.state is State.FAILED
    whole = "one two " if stands else "one "
    assert (await it.messages())[1:] == [(whole, True)]


async def test_an_answer_in_one_large_piece_fits_the_log() -> None:
    """It is committed before the end, which holds the whole answer once more."""

    class Large(Told):
        async def run(self, work: Work) -> None:
            await work.write("x" * (580 * 1024))

    async with world(more=[Large("large", LossPolicy.FAIL)]) as it:
        await it.dispatch(handler="large")
        assert (await it.ended()).state is State.SUCCEEDED
        assert len((await it.messages())[-1][0]) == 580 * 1024


async def test_a_repeated_dispatch_that_is_given_up_stops_nobody(database: Database) -> None:
    """The turn is known; whoever runs now is not rolled back for it."""
    store = SlowToSay(database)
    store.say.set()
    async with world(database, store=store) as it:
        await it.dispatch(1, policy=Policy.ROLLBACK)
        it.told.say(None)
        await it.ended(1)
        await it.dispatch(2, handler="fragile")
        await it.fragile.running.wait()
        store.say.clear()
        store.added.clear()
        repeated = asyncio.create_task(it.dispatch(1, policy=Policy.ROLLBACK))
        await store.added.wait()
        repeated.cancel()
        assert (await it.turns.get(CONVERSATION, turn_id(1))).state is State.SUCCEEDED
        store.say.set()
        await asyncio.wait([repeated])
        assert repeated.cancelled()
        await asyncio.sleep(0.1)
        assert (await it.turns.get(CONVERSATION, turn_id(2))).state is State.RUNNING


async def test_a_dispatch_that_is_given_up_keeps_its_place(database: Database) -> None:
    """The turn is stored and runs; who comes next waits for it."""
    store = SlowToSay(database)
    async with world(database, store=store) as it:
        first = asyncio.create_task(it.dispatch(1))
        await store.added.wait()
        first.cancel()
        second = asyncio.create_task(it.dispatch(2))
        await asyncio.sleep(0.01)
        store.say.set()
        await second
        assert first.cancelled()
        assert (await it.turns.get(CONVERSATION, turn_id(1))).state is State.RUNNING
        assert (await it.turns.get(CONVERSATION, turn_id(2))).state is State.QUEUED


async def test_a_stopped_answer_is_kept_when_its_end_takes_too_long() -> None:
    """The deadline of the commit is no second stop; what people have read is the message."""
    async with world(timeout_s=0.5) as it:
        await it.said("delivered text")
        Mishap(telling("TURN_FINISHED"), times=1, late_s=1.0).befall(it)
        assert (await it.cancel()).state is State.CANCELLED
        assert (await it.messages())[1:] == [("delivered text", True)]


async def test_a_turn_let_go_at_once_holds_nobody(it: World) -> None:
    """Its task never begins; who dispatched it is told, and the conversation goes on."""
    dispatching = asyncio.create_task(it.dispatch(1))
    before = set(it.tasks)
    while not it.tasks - before:  # noqa: ASYNC110  # each round of the loop: it has not begun
        await asyncio.sleep(0)
    for task in it.tasks - before:
        task.cancel()
    with Refused(Reason.STORE_UNAVAILABLE):
        await dispatching
    await it.dispatch(2)


async def test_a_turn_whose_end_was_seen_has_ended(database: Database) -> None:
    """Whoever read the end in the log gets it from GetTurn and ListTurns, too."""
    store = SlowStore(database)
    async with world(database, store=store) as it:
        await it.dispatch()
        store.delay_s = 0.05
        it.told.say(None)
        await it.seen("turn_finished")
        got, listed = await asyncio.gather(
            it.turns.get(CONVERSATION, turn_id(1)), it.turns.list(CONVERSATION, None, 10)
        )
        assert got.state is State.SUCCEEDED
        assert [turn.state for turn in listed] == [State.SUCCEEDED]


@pytest.mark.parametrize(
    ("step", "stands"),
    [
        ("TURN_ACCEPTED", False),
        ("TURN_ACCEPTED", True),
        ("TEXT_DELTA_APPENDED", False),
        ("TEXT_DELTA_APPENDED", True),
        ("TURN_FINISHED", False),
    ],
)
async def test_a_turn_succeeds_though_the_log_is_started_again(step: str, stands: bool) -> None:
    """What its service, elsewhere, does not answer is told to it again, and is there once."""
    mishap = Mishap(telling(step), ELSEWHERE, times=2, stands=stands)
    async with world(log_elsewhere=True) as it:
        mishap.befall(it)
        await it.dispatch()
        for word in ("one ", "two "):
            it.told.say(word)
            await asyncio.sleep(0.05)
        it.told.say(None)
        assert (await it.ended()).state is State.SUCCEEDED
        assert mishap.refused == 2
        assert (await it.messages())[1:] == [("one two ", False)]
        assert it.told.stored == [True]


async def test_a_log_elsewhere_that_stays_away_is_waited_for_once() -> None:
    """As long as one that is here: who waits for the journal does not wait again."""
    mishap = Mishap(telling("TURN_FINISHED"), ELSEWHERE)
    async with world(log_elsewhere=True, journal_policy=replace(TURN, first_s=0.001)) as it:
        mishap.befall(it)
        await it.dispatch(handler="echo")
        (turn,) = (task for task in it.tasks if task.get_name().startswith("turn "))
        await asyncio.wait([turn], timeout=5)
        assert mishap.refused == TURN.tries


async def test_who_fails_when_told_of_an_end_keeps_nobody_from_it() -> None:
    """The defect is in the log of the server; the turn has ended all the same, for all others."""

    class Broken(Told):
        async def run(self, work: Work) -> None:
            work.outputs.on_end(lambda stored: [][stored])
            await super().run(work)

    broken = Broken("broken", LossPolicy.FAIL)
    async with world(more=[broken]) as it:
        with capture_logs() as logged:
            await it.dispatch(handler="broken")
            broken.say("text", None)
            assert (await it.ended()).state is State.SUCCEEDED
        assert broken.stored == [True]
        defects = [line for line in logged if line["log_level"] == "error"]
        assert [line["turn_id"] for line in defects] == [turn_id(1)]


async def test_who_was_fenced_out_writes_nothing_more(it: World) -> None:
    """Another node has the turn: its number is not taken from it, and its turn not ended."""
    await it.said("one ")
    Mishap(saying("two"), DomainError(Reason.FENCED)).befall(it)
    before = await it.kinds()
    it.told.say("two ")
    await asyncio.sleep(0.05)
    it.told.say(None)
    await asyncio.wait(it.tasks, timeout=0.3)
    assert await it.kinds() == before
    assert it.told.stored == [False]
    stored = await it.store.get(CONVERSATION, turn_id(1))
    assert stored is not None
    assert (stored.state, stored.attempt) == (State.RUNNING, 1)


async def test_who_lost_the_lease_after_a_failed_commit_writes_nothing_more(it: World) -> None:
    """The number that the next holder takes is not used before."""
    await it.dispatch()
    Mishap(saying("one")).befall(it)
    assert await it.store.claim("other", 1 << 60, 1 << 61, own=False)
    before = await it.kinds()
    it.told.say("one ")
    await asyncio.sleep(0.05)
    it.told.say(None)
    await asyncio.wait(it.tasks, timeout=0.3)
    assert await it.kinds() == before


async def test_a_turn_that_is_let_go_after_a_failed_commit_writes_nothing_more(it: World) -> None:
    """Draining does not wait for a store that refuses."""
    await it.dispatch()
    Mishap(saying("one")).befall(it)
    before = await it.kinds()
    it.told.say("one ")
    await asyncio.sleep(0.05)
    async with asyncio.timeout(SOON_S):
        await it.turns.drain(0.0)
    assert await it.kinds() == before
