"""Who gets which turn."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.runtime.errors import DomainError
from antiphon_server.workers.assignments import Assignments
from antiphon_server.workers.care import Care
from antiphon_server.workers.frames import Want
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.session import Session
from antiphon_server.workers.versions import Versions
from tests.fakes.clocks import in_no_time, keep_the_loops_time, stand_still
from tests.workers.stand_ins import LIMITS, Inbox, session, turn_id, want, worker_id


async def test_whoever_has_most_room_gets_it() -> None:
    pool = Pool(LIMITS)
    small, large = session(1, slots=2), session(2, slots=4)
    pool.add(small)
    pool.add(large)
    for number in range(6):
        pool.take(want(number), Inbox())
    assert (len(small.turns), len(large.turns)) == (2, 4)
    assert pool.take(want(7), Inbox()) is None


async def test_turns_wait_in_the_order_in_which_they_came() -> None:
    pool = Pool(LIMITS)
    waiting = [asyncio.create_task(pool.acquire(want(number), Inbox())) for number in range(3)]
    await asyncio.sleep(0)
    one = session(slots=1)
    pool.add(one)
    for number in range(3):
        pool.serve()
        assert await waiting[number] is one
        one.let_go(turn_id(number))
    assert pool.waiting == 0


async def test_who_waits_longest_is_served_first_by_each_handler() -> None:
    """Also if those before it can't be served now."""
    pool = Pool(LIMITS)
    wants = [want(1, shunned=frozenset({worker_id(1)})), *map(want, (2, 3, 4))]
    others = [replace(want(number), handler="other") for number in (5, 6)]
    waiting = [asyncio.create_task(pool.acquire(it, Inbox())) for it in (*wants, *others)]
    await asyncio.sleep(0)
    one, other = session(1, slots=2), session(2, handler="other")
    pool.add(one)
    pool.add(other)
    pool.serve()
    assert list(one.turns) == [turn_id(2), turn_id(3)]
    assert list(other.turns) == [turn_id(5)]
    for it in waiting:
        it.cancel()
    await asyncio.wait(waiting)


def _busy(pool: Pool) -> list[Want]:
    for number in range(1000):
        pool.add(session(number))
        pool.take(want(number), Inbox())
    return [want(2000 + number) for number in range(900)]


def _of_another_handler(pool: Pool) -> list[Want]:
    for number in range(1000):
        pool.add(session(number, handler="other"))
    return [want(2000 + number) for number in range(900)]


def _of_another_version(pool: Pool) -> list[Want]:
    """That of the turns has one worker, which is busy."""
    for number in range(1000):
        pool.add(session(number))
    last = session(1000)
    last.worker = replace(last.worker, version="1")
    last.turns[turn_id(1000)] = Inbox()
    pool.add(last)
    return [
        want(2000 + number, conversation_id=f"conv_{number}", began=last.worker.release)
        for number in range(900)
    ]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often workers were looked at, by what for."""
    found = Counter[str]()

    def count(name: str) -> None:
        looked = getattr(Session, name)

        def counted(self: Session, *of: str) -> object:
            found[name] += 1
            return looked(self, *of)

        monkeypatch.setattr(Session, name, counted)

    count("serves")
    return found


@pytest.mark.parametrize("crowd", [_busy, _of_another_handler, _of_another_version])
async def test_many_that_wait_hold_up_nobody(
    crowd: Callable[[Pool], list[Want]], looks: Counter[str]
) -> None:
    """It is looked for who has room whenever a turn ends: at each worker once or twice."""
    pool = Pool(LIMITS, Versions(monotonic=lambda: 0.0))
    waiting = [asyncio.create_task(pool.acquire(it, Inbox())) for it in crowd(pool)]
    await asyncio.sleep(0)
    assert pool.waiting == 900
    looks.clear()
    pool.serve()
    assert looks["serves"] <= 2 * 1001
    for it in waiting:
        it.cancel()
    await asyncio.wait(waiting)


async def test_one_that_gives_up_has_no_slot() -> None:
    """Also if it was found a worker in the same moment."""
    pool = Pool(LIMITS)
    waiting = asyncio.create_task(pool.acquire(want(1), Inbox()))
    await asyncio.sleep(0)
    one = session()
    pool.add(one)
    pool.serve()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    assert one.free == 1
    assert pool.waiting == 0


async def test_who_knows_the_conversation_is_worth_a_moment() -> None:
    """And no more than that."""
    pool = Pool(replace(LIMITS, sticky_s=0.05))
    known, other = session(1), session(2)
    pool.add(known)
    pool.add(other)
    known.turns[turn_id(9)] = Inbox()
    preferring = want(1, preferred=worker_id(1))
    waiting = asyncio.create_task(pool.acquire(preferring, Inbox()))
    await asyncio.sleep(0.01)
    known.let_go(turn_id(9))
    pool.serve()
    assert await waiting is known
    assert await pool.acquire(want(2, preferred=worker_id(1)), Inbox()) is other


async def test_who_gave_it_back_does_not_get_it_again() -> None:
    pool = Pool(LIMITS)
    pool.add(session(1))
    assert pool.take(want(1, shunned=frozenset({worker_id(1)})), Inbox()) is None


async def test_a_stream_takes_the_place_of_the_workers_last_one() -> None:
    """Whose turns are told; another user's worker can't."""
    pool = Pool(LIMITS)
    before, inbox = session(), Inbox()
    pool.add(before)
    pool.take(want(1), inbox)
    now = session()
    pool.add(now)
    assert pool.find(worker_id(1)) is now
    assert inbox.dropped_at is not None
    with pytest.raises(DomainError, match="ALREADY_EXISTS"):
        pool.add(_of_another_user())
    pool.remove(before)
    assert pool.find(worker_id(1)) is now


async def test_nobody_has_too_many_workers() -> None:
    pool = Pool(replace(LIMITS, of_user=1, of_server=2))
    one, two, three = map(worker_id, (1, 2, 3))
    with pool.admitted("user_a", one):
        with pytest.raises(DomainError, match="LIMIT_EXCEEDED"), pool.admitted("user_a", two):
            pass
        with (
            pool.admitted("user_b", two),
            pytest.raises(DomainError, match="LIMIT_EXCEEDED"),
            pool.admitted("user_c", three),
        ):
            pass
    with pool.admitted("user_a", two):
        pass


async def test_at_the_limit_a_worker_comes_back() -> None:
    """Before the server knows that its last connection is dead."""
    pool = Pool(replace(LIMITS, of_user=1, of_server=1))
    one, two = map(worker_id, (1, 2))
    with pool.admitted("user_a", one):
        with pool.admitted("user_a", one):
            pass
        for user_id, other in (("user_a", two), ("user_b", one)):
            with pytest.raises(DomainError, match="LIMIT_EXCEEDED"), pool.admitted(user_id, other):
                pass


class Server:
    """Another server that lends its workers."""

    def __init__(self) -> None:
        self.wanted: list[Want] = []
        self.withdrawn: list[TurnId] = []

    def want(self, want: Want) -> None:
        self.wanted.append(want)

    def withdraw(self, turn_id: TurnId) -> None:
        self.withdrawn.append(turn_id)


async def test_a_worker_is_wanted_of_all_servers_and_taken_once() -> None:
    """What comes too late is let go."""
    pool = Pool(LIMITS)
    near, far = Server(), Server()
    pool.loans |= {near, far}
    waiting = asyncio.create_task(pool.acquire(want(1), Inbox()))
    await asyncio.sleep(0)
    assert near.wanted == far.wanted == [want(1)]
    first, second = session(1), session(2)
    pool.given(turn_id(1), first)
    second.turns[turn_id(1)] = Inbox()
    pool.given(turn_id(1), second)
    assert await waiting is first
    assert near.withdrawn == far.withdrawn == [turn_id(1)]
    assert not second.turns


async def test_a_turn_is_claimed_from_who_holds_it() -> None:
    """When the worker comes, if it comes in time, and has it still."""
    pool = Pool(LIMITS)
    claiming = asyncio.create_task(pool.holder(worker_id(1), turn_id(1), Inbox()))
    await asyncio.sleep(0)
    holding = session()
    holding.turns[turn_id(1)] = Inbox()
    pool.add(holding)
    assert await claiming is holding
    assert await pool.holder(worker_id(1), turn_id(2), Inbox()) is None


async def _given_up_after_s(pool: Pool, number: int = 1) -> float:
    """How long a turn waits for the worker that had it, which does not come."""
    began = time.monotonic()
    assert await pool.holder(worker_id(number), turn_id(1), Inbox()) is None
    return round(time.monotonic() - began, 3)


def _gone(monkeypatch: pytest.MonkeyPatch) -> Pool:
    """A worker has come and gone, by the loop's clock."""
    keep_the_loops_time(monkeypatch)
    pool, gone = Pool(LIMITS), session()
    pool.add(gone)
    pool.remove(gone)
    return pool


@in_no_time
async def test_who_holds_it_is_waited_for_since_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not since the turn's server died, which may have been later."""
    pool = _gone(monkeypatch)
    await asyncio.sleep(3.0)
    waited = await asyncio.gather(*(_given_up_after_s(pool, number) for number in (1, 2)))
    assert waited == [LIMITS.back_s - 3.0, LIMITS.back_s]


@in_no_time
async def test_while_the_server_stands_still_nobody_can_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So much longer it waits for who has gone before."""
    pool, nobody = _gone(monkeypatch), cast(Any, None)
    caring = asyncio.create_task(Care(pool, Assignments(), nobody, nobody, LIMITS).run())
    await asyncio.sleep(2.5 * LIMITS.look_s)
    stand_still(30.0)
    await asyncio.sleep(2 * LIMITS.look_s)
    went_by_s = (3 + 2) * LIMITS.look_s  # it goes on with the third look
    assert await _given_up_after_s(pool) == LIMITS.back_s - went_by_s
    caring.cancel()
    await asyncio.wait({caring})


def _of_another_user() -> Session:
    it = session()
    it.worker = replace(it.worker, user_id="user_q")
    return it
