"""A store that refuses, hangs or answers late, and callers that give up, at bad moments."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from antiphon.events.v1 import event_pb2
from antiphon_server.dispatcher.handling import Work
from antiphon_server.dispatcher.model import LossPolicy, Policy, State
from antiphon_server.events.model import Append, Appended
from antiphon_server.runtime.concurrency.patience import TURN
from antiphon_server.runtime.errors import DomainError, Reason, unavailable
from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.stand_ins import SlowStore, SlowToSay, Told
from tests.dispatcher.world import CONVERSATION, World, turn_id, world
from tests.e2e.refusals import Refused
from tests.e2e.until import SOON_S

Appending = Callable[[Sequence[Append]], Awaitable[Sequence[Appended | DomainError]]]


def disturb(it: World, disturbed: Callable[[Appending], Appending]) -> None:
    """Put something between the log and its store."""
    it.log_store.append = disturbed(it.log_store.append)  # type: ignore[method-assign, assignment]


def _texts(batch: Sequence[Append]) -> str:
    return "".join(str(event.body) for append in batch for event in append.events)


@pytest.mark.parametrize("stands", [False, True])
async def test_an_answer_has_no_hole_where_a_commit_failed(stands: bool) -> None:
    """What was committed is the message, whether or not the failed commit stands after all."""

    def fail_once(append: Appending) -> Appending:
        left = [1]

        async def failing(batch: Sequence[Append]) -> Sequence[Appended | DomainError]:
            if "two" in _texts(batch) and left.pop():
                left.append(0)
                if stands:
                    await append(batch)
                raise DomainError(Reason.STORE_UNAVAILABLE)
            return await append(batch)

        return failing

    async with world() as it:
        disturb(it, fail_once)
        await it.dispatch()
        for word in ("one ", "two ", "three "):
            it.told.lines.put_nowait(word)
            await asyncio.sleep(0.05)
        it.told.lines.put_nowait(None)
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
        it.told.lines.put_nowait(None)
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

    def hang_once(append: Appending) -> Appending:
        left = [1]

        async def hanging(batch: Sequence[Append]) -> Sequence[Appended | DomainError]:
            if any(one.request_id.endswith(":end") for one in batch) and left.pop():
                left.append(0)
                await asyncio.sleep(1.0)
                raise DomainError(Reason.STORE_UNAVAILABLE)
            return await append(batch)

        return hanging

    async with world(timeout_s=0.5) as it:
        await it.dispatch()
        await it.told.running.wait()
        it.told.lines.put_nowait("delivered text")
        await it.delivered("text")
        disturb(it, hang_once)
        assert (await it.cancel()).state is State.CANCELLED
        assert (await it.messages())[1:] == [("delivered text", True)]


async def test_a_turn_let_go_at_once_holds_nobody() -> None:
    """Its task never begins; who dispatched it is told, and the conversation goes on."""
    async with world() as it:
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
        it.told.lines.put_nowait(None)
        await it.seen("turn_finished")
        got, listed = await asyncio.gather(
            it.turns.get(CONVERSATION, turn_id(1)), it.turns.list(CONVERSATION, None, 10)
        )
        assert got.state is State.SUCCEEDED
        assert [turn.state for turn in listed] == [State.SUCCEEDED]


def fail_for(word: str, reason: Reason) -> Callable[[Appending], Appending]:
    """Every append with ``word`` in it is refused."""

    def disturbed(append: Appending) -> Appending:
        async def failing(batch: Sequence[Append]) -> Sequence[Appended | DomainError]:
            if word in _texts(batch):
                return [DomainError(reason)] * len(batch)
            return await append(batch)

        return failing

    return disturbed


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
    kind, left = event_pb2.EventKind.Value(f"EVENT_KIND_{step}"), [2]

    def refuse_twice(append: Appending) -> Appending:
        async def failing(batch: Sequence[Append]) -> Sequence[Appended | DomainError]:
            kinds = {event.kind for append in batch for event in append.events}
            if kind in kinds and left[0]:
                left[0] -= 1
                if stands:
                    await append(batch)
                raise unavailable("events")
            return await append(batch)

        return failing

    async with world(log_elsewhere=True) as it:
        disturb(it, refuse_twice)
        await it.dispatch()
        for word in ("one ", "two "):
            it.told.lines.put_nowait(word)
            await asyncio.sleep(0.05)
        it.told.lines.put_nowait(None)
        assert (await it.ended()).state is State.SUCCEEDED
        assert left == [0]
        assert (await it.messages())[1:] == [("one two ", False)]


async def test_a_log_elsewhere_that_stays_away_is_waited_for_once() -> None:
    """As long as one that is here: who waits for the journal does not wait again."""
    asked = 0

    def refuse_ends(append: Appending) -> Appending:
        async def failing(batch: Sequence[Append]) -> Sequence[Appended | DomainError]:
            nonlocal asked
            if any(
                event.kind == event_pb2.EVENT_KIND_TURN_FINISHED
                for one in batch
                for event in one.events
            ):
                asked += 1
                raise unavailable("events")
            return await append(batch)

        return failing

    soon = replace(TURN, first_s=0.001)
    async with world(log_elsewhere=True, journal_policy=soon) as it:
        disturb(it, refuse_ends)
        await it.dispatch(handler="echo")
        (turn,) = (task for task in it.tasks if task.get_name().startswith("turn "))
        await asyncio.wait([turn], timeout=5)
        assert asked == TURN.tries


async def test_who_was_fenced_out_writes_nothing_more() -> None:
    """Another node has the turn: its number is not taken from it, and its turn not ended."""
    async with world() as it:
        await it.dispatch()
        it.told.lines.put_nowait("one ")
        await it.delivered("one ")
        disturb(it, fail_for("two", Reason.FENCED))
        before = await it.kinds()
        it.told.lines.put_nowait("two ")
        await asyncio.sleep(0.05)
        it.told.lines.put_nowait(None)
        await asyncio.wait(it.tasks, timeout=0.3)
        assert await it.kinds() == before
        stored = await it.store.get(CONVERSATION, turn_id(1))
        assert stored is not None
        assert (stored.state, stored.attempt) == (State.RUNNING, 1)


async def test_who_lost_the_lease_after_a_failed_commit_writes_nothing_more() -> None:
    """The number that the next holder takes is not used before."""
    async with world() as it:
        await it.dispatch()
        disturb(it, fail_for("one", Reason.STORE_UNAVAILABLE))
        assert await it.store.claim("other", 1 << 60, 1 << 61, own=False)
        before = await it.kinds()
        it.told.lines.put_nowait("one ")
        await asyncio.sleep(0.05)
        it.told.lines.put_nowait(None)
        await asyncio.wait(it.tasks, timeout=0.3)
        assert await it.kinds() == before


async def test_a_turn_that_is_let_go_after_a_failed_commit_writes_nothing_more() -> None:
    """Draining does not wait for a store that refuses."""
    async with world() as it:
        await it.dispatch()
        disturb(it, fail_for("one", Reason.STORE_UNAVAILABLE))
        before = await it.kinds()
        it.told.lines.put_nowait("one ")
        await asyncio.sleep(0.05)
        async with asyncio.timeout(SOON_S):
            await it.turns.drain(0.0)
        assert await it.kinds() == before
