"""A worker's stream: what it is told, and when it is left alone."""

import time
from dataclasses import replace

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers.frames import (
    Accepted,
    Ack,
    Beat,
    Cancel,
    Declined,
    Held,
    Revocation,
    Revoke,
    Standing,
)
from antiphon_server.workers.session import Session
from tests.workers.stand_ins import LIMITS, PROGRAM, Inbox, session, told, turn_id


async def test_of_acknowledgements_only_the_newest_is_told() -> None:
    """And none behind the end of a turn."""
    it = session()
    for number in range(1, 4):
        it.tell(Ack(turn_id(1), 1, number))
    assert told(it) == [Ack(turn_id(1), 1, 3)]
    it.tell(Ack(turn_id(1), 1, 4))
    it.tell(Cancel(turn_id(1), 1))
    assert told(it) == [Cancel(turn_id(1), 1)]


async def test_a_heartbeat_renews_what_it_has_and_no_more() -> None:
    it = session(slots=2)
    it.turns[turn_id(1)] = Inbox()
    it.heartbeat([turn_id(1), turn_id(2)])
    assert told(it) == [Beat([turn_id(1)])]


async def test_a_turn_that_it_has_not_is_not_heard_of() -> None:
    with pytest.raises(DomainError, match="TURN_NOT_HELD"):
        session().hear(turn_id(1), 1, Accepted())


async def test_one_that_does_not_answer_is_left_alone() -> None:
    """Longer each time; an answer in between begins the count anew."""
    it = session(limits=replace(LIMITS, missed=3, quarantine_s=30.0))
    it.missed()
    it.missed()
    it.accepted(0.004)
    it.missed()
    it.missed()
    assert it.open
    it.missed()
    assert it.standing is Standing.QUARANTINED
    assert 29 < it.quarantine_end - time.time() < 31
    for _ in range(3):
        it.missed()
    assert 59 < it.quarantine_end - time.time() < 61
    assert it.accept_p50_ms == 4.0


async def test_one_that_does_not_read_loses_its_stream() -> None:
    it = session(limits=replace(LIMITS, untold=10))
    for _ in range(11):
        it.reject(DomainError(Reason.TURN_NOT_HELD, turn_id="turn_1"))
    with pytest.raises(DomainError, match="OVERLOADED"):
        async for _ in it.frames():
            pass


async def test_what_nobody_has_claimed_yet_is_kept_for_as_long_as_servers_may_take() -> None:
    """Whatever heartbeats name: a worker does not name what was not assigned on its stream."""
    worker = replace(session().worker, held=(Held(turn_id(1), "conv_1", 3),))
    it = Session(worker, {}, PROGRAM, LIMITS)
    assert it.free == 0
    it.heartbeat([])
    assert told(it) == [Beat([turn_id(1)])]
    it.heartbeat([turn_id(1)])
    assert told(it) == [Beat([turn_id(1)])]
    assert not it.give_up_unclaimed(time.monotonic() + LIMITS.lease_s + 1)


async def test_what_nobody_claims_is_taken_away() -> None:
    """Behind that time, in which it keeps a slot."""
    worker = replace(session().worker, held=(Held(turn_id(1), "conv_1", 3),))
    it = Session(worker, {}, PROGRAM, replace(LIMITS, unclaimed_s=0.0))
    it.heartbeat([])
    assert told(it) == [Beat([])]
    assert it.give_up_unclaimed(time.monotonic())
    assert told(it) == [Revoke(turn_id(1), 0, Revocation.LEASE)]
    assert it.free == 1


async def test_what_nobody_has_claimed_may_be_given_back() -> None:
    worker = replace(session().worker, held=(Held(turn_id(1), "conv_1", 3),))
    it = Session(worker, {}, PROGRAM, LIMITS)
    it.hear(turn_id(1), 3, Declined())
    assert it.free == 1


async def test_a_worker_keeps_the_turn_of_a_server_that_goes() -> None:
    """Whoever takes it over claims it; then what it says is heard there."""
    it, first, second = session(), Inbox(), Inbox()
    it.turns[turn_id(1)] = first
    it.let_go(turn_id(1), keeps=True)
    it.hear(turn_id(1), 1, Accepted())
    assert await it.claim(turn_id(1), second)
    it.hear(turn_id(1), 2, Accepted())
    assert (first.heard, second.heard) == ([], [Accepted()])
    it.let_go(turn_id(1))
    assert not await it.claim(turn_id(1), first)


async def test_a_turn_that_has_not_come_to_a_worker_is_claimed_anew_if_there_is_room() -> None:
    it, inbox = session(slots=1), Inbox()
    assert not await it.claim(turn_id(1), inbox)
    assert await it.claim(turn_id(1), inbox, anew=True)
    assert it.turns == {turn_id(1): inbox}
    assert not await it.claim(turn_id(2), inbox, anew=True)


async def test_what_another_server_has_is_not_claimed_anew() -> None:
    """Whoever has lost its lease and does not know hears of the worker late."""
    it, inbox = session(slots=2), Inbox()
    it.turns[turn_id(1)] = inbox
    assert not await it.claim(turn_id(1), Inbox(), anew=True)
    assert it.turns == {turn_id(1): inbox}


async def test_what_the_server_stood_still_for_is_held_against_nobody() -> None:
    worker = replace(session().worker, held=(Held(turn_id(1), "conv_1", 3),))
    it = Session(worker, {}, PROGRAM, LIMITS)
    heard = it.heard
    it.excuse(30.0)
    assert it.heard == heard + 30.0
    assert not it.give_up_unclaimed(time.monotonic() + LIMITS.unclaimed_s + 1)
    assert it.give_up_unclaimed(time.monotonic() + LIMITS.unclaimed_s + 31)
