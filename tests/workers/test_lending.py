"""A server that has workers, as another one meets it that has turns."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon_server.runtime.errors import DomainError
from antiphon_server.workers import encoding
from antiphon_server.workers.frames import Accepted
from antiphon_server.workers.lending import Borrower, Lending
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.session import Unclaimed
from tests.e2e.until import SOON_S
from tests.workers.stand_ins import LIMITS, Inbox, session, told, turn_id, worker_id

WANT = pb.BorrowRequest(
    want=pb.WantWorker(turn_id=turn_id(1), handler="it", parent="global", only_preferred=False)
)
WITHDRAWAL = pb.BorrowRequest(release=pb.ReleaseTurn(turn_id=turn_id(1)))


class Lender:
    """What is told the other server."""

    def __init__(self) -> None:
        self.pool = Pool(LIMITS)
        self.borrower = Borrower(self.pool, LIMITS)
        self.pool.watchers.add(self.borrower)

    async def told(self) -> list[str]:
        for _ in range(5):
            await asyncio.sleep(0)
        waiting = [made() for made, _ in self.borrower.outgoing._waiting]
        self.borrower.outgoing._waiting.clear()
        return [str(it.WhichOneof("frame")) for it in waiting]


@pytest_asyncio.fixture
async def lender() -> AsyncIterator[Lender]:
    it = Lender()
    yield it
    await it.borrower.close()


async def test_a_turn_that_is_wanted_anew_has_one_worker(lender: Lender) -> None:
    """Its first want was withdrawn while the answer was on its way, which answers the second."""
    one = session(slots=2)
    lender.pool.add(one)
    lender.borrower.hear(WANT)
    assert await lender.told() == ["worker", "given"]
    lender.borrower.hear(WITHDRAWAL)
    lender.borrower.hear(WANT)
    assert await lender.told() == []
    assert list(one.turns) == [turn_id(1)]


async def test_a_server_that_goes_late_leaves_a_turn_to_who_has_claimed_it(lender: Lender) -> None:
    """It stood still past its lease, and another one has claimed the turn at the worker."""
    one, claimed = session(), Inbox()
    lender.pool.add(one)
    lender.borrower.hear(WANT)
    assert await lender.told() == ["worker", "given"]
    assert await one.claim(turn_id(1), claimed)
    await lender.borrower.close()
    assert one.turns[turn_id(1)] is claimed


async def test_a_worker_that_is_given_back_is_wanted_anew(lender: Lender) -> None:
    lender.pool.add(session())
    lender.borrower.hear(WANT)
    assert await lender.told() == ["worker", "given"]
    back = pb.ReleaseTurn(turn_id=turn_id(1), worker_id=worker_id(1))
    lender.borrower.hear(pb.BorrowRequest(release=back))
    lender.borrower.hear(WANT)
    assert await lender.told() == ["given"]


async def test_a_worker_that_the_other_server_has_lost_is_none(lender: Lender) -> None:
    """It had the turn, and has come to that server itself meanwhile: here it is known still."""
    lender.pool.add(session(1))
    lender.borrower.hear(WANT)
    frame = pb.WorkResponse(assign=worker_pb2.Assign(turn_id=turn_id(1)))
    tell = pb.TellWorker(worker_id=worker_id(1), frame=frame)
    assert await lender.told() == ["worker", "given"]
    lender.borrower.hear(pb.BorrowRequest(tell=tell))
    lender.pool.add(session(2))
    lender.borrower.hear(WANT)
    assert await lender.told() == ["worker", "given"]


async def test_a_turn_that_has_not_come_to_a_worker_is_given_to_its_next_stream(
    lender: Lender,
) -> None:
    """What was on its way to the earlier one is not told the worker: it is assigned it again."""
    earlier, newest = session(), session()
    lender.pool.add(earlier)
    lender.borrower.hear(WANT)
    assert await lender.told() == ["worker", "given"]
    lender.pool.add(newest)
    assert await lender.told() == ["gone", "worker"]
    assign = pb.WorkResponse(assign=worker_pb2.Assign(turn_id=turn_id(1), fence=1))
    tell = pb.BorrowRequest(tell=pb.TellWorker(worker_id=worker_id(1), frame=assign))
    lender.borrower.hear(tell)
    assert told(newest) == []
    claim = pb.ClaimTurn(turn_id=turn_id(1), worker_id=worker_id(1), anew=True)
    lender.borrower.hear(pb.BorrowRequest(claim=claim))
    lender.borrower.hear(tell)
    assert await lender.told() == ["given"]
    assert (len(told(newest)), list(newest.turns)) == (1, [turn_id(1)])


@pytest.mark.parametrize("assigned", [True, False])
async def test_a_server_that_goes_leaves_what_has_come_to_the_worker(
    lender: Lender, assigned: bool
) -> None:
    """What has not is nothing that the worker could keep: its slot is free."""
    one = session()
    lender.pool.add(one)
    lender.borrower.hear(WANT)
    assert await lender.told() == ["worker", "given"]
    if assigned:
        frame = pb.WorkResponse(assign=worker_pb2.Assign(turn_id=turn_id(1), fence=1))
        tell = pb.TellWorker(worker_id=worker_id(1), frame=frame)
        lender.borrower.hear(pb.BorrowRequest(tell=tell))
    await lender.borrower.close()
    assert one.free == (not assigned)


async def test_a_claim_that_is_given_up_leaves_nothing(lender: Lender) -> None:
    """It is answered before what comes behind it is heard."""
    one = session()
    one.turns[turn_id(1)] = Unclaimed(60.0)
    lender.pool.add(one)
    claim = pb.ClaimTurn(turn_id=turn_id(1), worker_id=worker_id(1))
    back = pb.ReleaseTurn(turn_id=turn_id(1), worker_id=worker_id(1))
    lender.borrower.hear(pb.BorrowRequest(claim=claim))
    lender.borrower.hear(pb.BorrowRequest(release=back))
    assert await lender.told() == ["worker", "given"]
    assert list(one.turns) == []


async def test_of_acknowledgements_of_another_servers_turn_the_newest_is_told(
    lender: Lender,
) -> None:
    """However many come while the worker reads nothing; and none behind the end of the turn."""
    one = session()
    lender.pool.add(one)

    def tell(**frame: Any) -> None:
        said = pb.TellWorker(worker_id=worker_id(1), frame=pb.WorkResponse(**frame))
        lender.borrower.hear(pb.BorrowRequest(tell=said))

    for number in range(1, LIMITS.untold + 2):
        ack = worker_pb2.Ack(turn_id=turn_id(1), fence=1, sequence=number)
        tell(ack=ack)
    assert one.ending is None
    assert told(one) == [encoding.passed(pb.WorkResponse(ack=ack))]
    ends: list[dict[str, Any]] = [
        {"ack": worker_pb2.Ack(turn_id=turn_id(1), finished=True)},
        {"cancel": worker_pb2.Cancel(turn_id=turn_id(1))},
        {"revoke": worker_pb2.Revoke(turn_id=turn_id(1))},
    ]
    for end in ends:
        tell(ack=ack)
        tell(**end)
        assert told(one) == [encoding.passed(pb.WorkResponse(**end))]


async def test_an_answer_to_another_servers_assign_counts_at_once(lender: Lender) -> None:
    """Not when the turn ends: what was not answered in between is no row."""
    one = session(slots=4)
    lender.pool.add(one)
    for number, answers in enumerate((False, False, True, False)):
        want = pb.WantWorker(turn_id=turn_id(number), handler="it", parent="global")
        lender.borrower.hear(pb.BorrowRequest(want=want))
        await lender.told()
        frame = pb.WorkResponse(assign=worker_pb2.Assign(turn_id=turn_id(number), fence=2))
        tell = pb.TellWorker(worker_id=worker_id(1), frame=frame)
        lender.borrower.hear(pb.BorrowRequest(tell=tell))
        if answers:
            one.hear(turn_id(number), 1, Accepted(), pb.WorkRequest())  # of the attempt before
            assert one.accept_p50_ms == 0.0
            one.hear(turn_id(number), 2, Accepted(), pb.WorkRequest())
            assert one.accept_p50_ms > 0.0
        else:
            back = pb.ReleaseTurn(turn_id=turn_id(number), worker_id=worker_id(1), missed=True)
            lender.borrower.hear(pb.BorrowRequest(release=back))
    assert not one.quarantined
    assert list(one.turns) == [turn_id(2)]


async def test_who_goes_in_the_moment_in_which_it_is_found_is_not_given(lender: Lender) -> None:
    """The other server would know nobody by that name, and wait."""
    lender.borrower.hear(WANT)
    assert await lender.told() == []
    one, other = session(1), session(2)
    lender.pool.add(one)
    lender.pool.serve()
    lender.pool.remove(one)
    lender.pool.add(other)
    assert await lender.told() == ["worker", "gone", "worker", "given"]
    assert (list(one.turns), list(other.turns)) == ([], [turn_id(1)])


async def test_a_server_that_sends_its_workers_away_lends_none(lender: Lender) -> None:
    """The stream ends behind what is on its way: nobody has to wait until it is cut."""
    lender.pool.add(session())
    lender.pool.drain()
    async with asyncio.timeout(SOON_S):
        frames = [it async for it in lender.borrower.outgoing.frames()]
    assert [it.WhichOneof("frame") for it in frames] == ["worker"]
    context: Any = None  # it is refused before anything is said
    with pytest.raises(DomainError, match="DRAINING"):
        await Lending(lender.pool, LIMITS).lend(context)
