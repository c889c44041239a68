"""A server that borrows workers, and the one that lends them."""

import asyncio
import time
from dataclasses import replace

import pytest

from antiphon_server.runtime.errors import DomainError
from antiphon_server.workers.assignment import MOST_TOLD, Assignment, Declining, NotBegun
from antiphon_server.workers.assignments import Assignments
from antiphon_server.workers.borrowing import LentSession, ServerLoan
from antiphon_server.workers.frames import Accepted, Assign
from antiphon_server.workers.lending import Borrower
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.session import Session, Unclaimed
from tests.fakes.clocks import in_no_time, keep_the_loops_time
from tests.workers.stand_ins import LIMITS, Inbox, session, turn_id, want, work, worker_id


class Pair:
    """Two servers: what each says lies on the wire until it is carried."""

    def __init__(self) -> None:
        self.there, self.here = Pool(LIMITS), Pool(replace(LIMITS, sticky_s=0.05))
        self.borrower = Borrower(self.there, LIMITS)
        self.there.watchers.add(self.borrower)
        self.loan = ServerLoan(self.here, Assignments(), LIMITS)
        self.here.loans.add(self.loan)

    async def forth(self) -> None:
        """Carry what the one says that borrows."""
        out = self.loan.outgoing._waiting
        while out:
            self.borrower.hear(out.popleft()[0]())
        await settled()

    async def back(self) -> None:
        """Carry what the one says that lends."""
        out = self.borrower.outgoing._waiting
        while out:
            self.loan._hear(out.popleft()[0]())
        await settled()

    async def lent(self, one: Session) -> LentSession:
        """A worker that is there, as it is known here."""
        self.there.add(one)
        await self.back()
        found = self.here.find(one.worker_id)
        assert isinstance(found, LentSession)
        return found


async def settled() -> None:
    """All that can go on has."""
    for _ in range(5):
        await asyncio.sleep(0)


def keeping(number: int = 1) -> Session:
    """A worker with a turn whose server is gone."""
    one = session(number)
    one.turns[turn_id(1)] = Unclaimed(60.0)
    return one


async def test_each_claim_of_a_turn_is_answered() -> None:
    """Also if the stream to that server breaks."""
    loan = ServerLoan(Pool(LIMITS), Assignments(), LIMITS)
    first = asyncio.create_task(loan.claim(turn_id(1), worker_id(1)))
    second = asyncio.create_task(loan.claim(turn_id(1), worker_id(1)))
    await settled()
    loan.close()
    assert not any(await asyncio.gather(first, second))


async def test_a_claim_that_is_given_up_leaves_the_turn_with_its_worker() -> None:
    """For whoever claims it next."""
    pair, one = Pair(), keeping()
    lent = await pair.lent(one)
    claiming = asyncio.create_task(lent.claim(turn_id(1), Inbox()))
    await settled()
    claiming.cancel()
    await asyncio.wait({claiming})
    assert lent.turns == {}
    await pair.forth()
    assert isinstance(one.turns[turn_id(1)], Unclaimed)


async def test_a_worker_that_comes_back_twice_has_the_turn_on_its_newest_stream() -> None:
    """What was claimed on the earlier one is answered last."""
    pair, one = Pair(), keeping()
    assignment = Assignment(work(1), LIMITS)
    earlier, newest = await pair.lent(one), keeping()
    assignment.come_back(earlier)
    await settled()
    pair.here.add(newest)
    assignment.come_back(newest)
    await settled()
    assert assignment.session is newest
    await pair.forth()
    await pair.back()
    assert assignment.session is newest
    assert (earlier.turns, newest.turns) == ({}, {turn_id(1): assignment})
    assert isinstance(one.turns[turn_id(1)], Unclaimed)


@pytest.mark.parametrize("slots", [1, 0])
async def test_a_turn_that_has_not_come_to_its_worker_is_assigned_again(slots: int) -> None:
    """In the same attempt, if the worker has room; else it is lost, and nobody has begun it."""
    pool, assignment, heard = Pool(LIMITS), Assignment(work(1), LIMITS), list[bool]()
    assignment.tell_assign = heard.append
    earlier, newest = session(), session(slots=slots)
    pool.add(earlier)
    assignment.given(earlier)
    pool.add(newest)
    assignment.come_without(newest)
    await settled()
    assert heard == [False] * slots
    assert (assignment.session is newest) == bool(slots)
    if not slots:
        with pytest.raises(NotBegun):
            await assignment.next()


async def test_a_turn_that_breaks_its_workers_stream_goes_elsewhere_after_some_times() -> None:
    """Else it would be told the same worker for ever, and others idle meanwhile."""
    pool, assignment = Pool(LIMITS), Assignment(work(1), LIMITS)

    def tell(held: bool) -> None:
        assert not held
        assignment.tell(Assign(work(1).turn, "", 0, False, "", 0, ""))

    assignment.tell_assign = tell
    for _ in range(MOST_TOLD + 1):
        back = session()
        pool.add(back)
        if assignment.worker_id is None:
            assignment.given(back)
            tell(False)
        else:
            assignment.come_without(back)
            assert assignment.session is back
    pool.add(again := session())
    assignment.come_without(again)
    with pytest.raises(Declining):
        await assignment.next()


async def test_a_turn_that_is_assigned_again_has_its_slot_before_others_are_served() -> None:
    pool, assignment = Pool(LIMITS), Assignment(work(1), LIMITS)
    assignment.tell_assign = lambda held: None
    pool.add(session())
    assert pool.take(want(1), assignment) is not None
    assignment.given(pool.sessions[0])
    waiting = asyncio.create_task(pool.acquire(want(2), Inbox()))
    await settled()
    pool.add(back := session())
    assignment.come_without(back)
    pool.serve()
    assert (list(back.turns), waiting.done()) == ([turn_id(1)], False)
    waiting.cancel()
    await asyncio.wait({waiting})


async def test_nothing_is_heard_on_a_stream_that_is_over() -> None:
    """What the worker said there it says again."""
    pool, assignment, one = Pool(LIMITS), Assignment(work(1), LIMITS), session()
    pool.add(one)
    assignment.given(one)
    pool.add(session())
    with pytest.raises(DomainError):
        assignment.hear(one, assignment.fence, Accepted(), None)


@in_no_time
async def test_a_worker_that_another_server_lost_sight_of_has_not_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its stream stands, perhaps: it is waited for from now on, and who has gone since it went."""
    keep_the_loops_time(monkeypatch)
    pair, gone = Pair(), keeping(1)
    for one in (gone, keeping(2)):
        await pair.lent(one)
    pair.there.remove(gone)
    await pair.back()
    pair.loan.close()
    began = time.monotonic()
    await asyncio.sleep(3.0)

    async def given_up_after_s(number: int) -> float:
        assert await pair.here.holder(worker_id(number), turn_id(1), Inbox()) is None
        return round(time.monotonic() - began, 3)

    waited = await asyncio.gather(*map(given_up_after_s, (1, 2)))
    assert waited == [LIMITS.back_s, 3.0 + LIMITS.back_s]


async def test_what_a_worker_elsewhere_has_done_counts_there_turn_by_turn() -> None:
    """Two turns end before one is let go, one is given to another server, and one is missed."""
    pair, one = Pair(), session(slots=4)
    lent = await pair.lent(one)
    finding = [pair.here.acquire(want(it), Inbox()) for it in range(1, 5)]
    found = asyncio.gather(*finding)
    await settled()
    await pair.forth()
    await pair.back()
    assert set(await found) == {lent}
    assignments = [Assignment(work(it), LIMITS) for it in range(1, 5)]
    for it in assignments:
        it.given(lent)
    missed, kept, *ended = assignments
    missed.look(time.monotonic() + LIMITS.accept_s + 1)
    for it in (kept, *ended):
        it.finished = True
    for it in assignments:
        it.leave(keeps=it is kept)
    await pair.forth()
    assert (one.finished, list(one.turns)) == (2, [turn_id(2)])
    one.missed()
    assert one.open
    one.missed()
    assert one.quarantined
