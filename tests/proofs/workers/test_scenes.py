"""Single faults, on which seeded runs have come."""

import asyncio

from tests.proofs.workers.counting import Count
from tests.proofs.workers.rig import Rig
from tests.proofs.workers.runs import run_once


class _Torn(Rig):
    """Servers lose each other again and again while a worker of one speaks for the other."""

    turns, begin_s = 4, 1.0

    def _size(self) -> Count:
        return Count(400, 20)

    async def _befall(self) -> None:
        self.kind = "drops"
        for _ in range(30):
            await asyncio.sleep(0.3)
            await self._cut_lent()


def test_a_worker_goes_on_when_servers_lose_each_other() -> None:
    """What it says meanwhile, on a stream that stands, it says again; nothing begins anew."""
    for seed in range(5):
        wrong, _ = run_once(f"torn/{seed}", kind=_Torn)
        assert not wrong


class _Crowded(Rig):
    """One worker of one slot, and turns that end at once."""

    turns, begin_s = 20, 0.5

    def _begin_hands(self) -> None:
        self._new_hand("alone", 1)

    def _size(self) -> Count:
        return Count(3, 0)

    async def _befall(self) -> None:
        self.kind = "drops"


def test_a_slot_is_free_when_its_worker_knows_that_it_is() -> None:
    """The next turn is not assigned before the end of the last one is acknowledged."""
    for seed in range(5):
        wrong, _ = run_once(f"crowded/{seed}", kind=_Crowded)
        assert not wrong


class _Asleep(Rig):
    """The only worker stands still until all think that it is lost, and wakes."""

    turns, begin_s = 2, 0.5

    def _begin_hands(self) -> None:
        self._new_hand("alone", 4)

    def _size(self) -> Count:
        return Count(100, 50)

    async def _befall(self) -> None:
        self.kind = "all"
        await asyncio.sleep(2.0)
        self._hands[0].place.halt()
        await asyncio.sleep(12.0)
        self._hands[0].place.go_on()


def test_who_was_lost_with_a_turn_gets_it_again_if_nobody_else_is_there() -> None:
    """It would wait for its time limit else, beside a worker with room."""
    for seed in range(5):
        wrong, _ = run_once(f"asleep/{seed}", kind=_Asleep)
        assert not wrong


class _Restless(Rig):
    """People are slow, and the stream of the worker that asks them breaks again and again."""

    turns, begin_s = 1, 0.5
    answered_after_s = (200.0,)

    def _begin_hands(self) -> None:
        self._new_hand("alone", 4)

    def _size(self) -> Count:
        return Count(10, 0, 0, 1)

    async def _befall(self) -> None:
        self.kind = "drops"
        for _ in range(150):
            await asyncio.sleep(1.2)
            await self._cut()


def test_a_question_may_be_asked_on_any_number_of_streams() -> None:
    """It waits once, and not with each stream once more, until too much waits."""
    wrong, rig = run_once("restless", kind=_Restless)
    assert not wrong
    assert rig.judge.counts["said ask"] > 128


class _Flapping(Rig):
    """The only worker's stream breaks, again and again, when a turn is on its way to it."""

    turns, begin_s = 1, 0.1

    def _begin_hands(self) -> None:
        self._new_hand("alone", 4)
        self._hands[0].is_twin = False

    def _size(self) -> Count:
        return Count(10, 10)

    async def _befall(self) -> None:
        self.kind = "drops"
        for number in range(12):
            before = self._hands[0].cable
            assert before is not None
            before.cut_in(2 if number else 0)  # behind hello and welcome
            while self._hands[0].cable is before:  # noqa: ASYNC110 - seen soon
                await asyncio.sleep(0.001)


def test_a_turn_that_no_worker_has_taken_is_not_lost() -> None:
    """It has not begun, and does not fail because it has begun too often."""
    for seed in range(5):
        wrong, _ = run_once(f"flapping/{seed}", kind=_Flapping)
        assert not wrong


class _Late(Rig):
    """A turn waits for people; its worker is given up, and comes back before they have answered."""

    turns, begin_s, cancelled = 1, 0.1, 0.0
    answered_after_s = (12.0,)

    def _begin_hands(self) -> None:
        self._new_hand("one", 1)
        self._new_hand("other", 1)

    def _size(self) -> Count:
        return Count(10, 10, 0, 1)

    async def _befall(self) -> None:
        self.kind = "deaths"
        await asyncio.sleep(2.0)
        had = next(it for it in self._hands if self.judge.has(it))
        assert had.cable is not None
        had.cable.cut()
        self.net.part(had.place)
        await asyncio.sleep(6.0)
        self.net.join(had.place, torn=False)


def test_a_worker_that_comes_back_too_late_is_let_go() -> None:
    """It has no turn then that nobody follows."""
    for seed in range(4):
        wrong, _ = run_once(f"late/{seed}", kind=_Late)
        assert not wrong


class _Unwilling(Rig):
    """A turn waits for another one, which a worker has given back; all others have no room."""

    turns, begin_s, cancelled = 1, 0.1, 0.0

    def _begin_hands(self) -> None:
        self._new_hand("one", 1)
        self._new_hand("other", 1)

    def _size(self) -> Count:
        return Count(10, 10, 0, 0, 1)

    async def _befall(self) -> None:
        self.kind = "deaths"
        self._hands[1].session.held.is_draining = True
        await asyncio.sleep(3.0)
        self._hands[1].session.held.is_draining = False


def test_a_turn_that_was_given_back_waits_for_nobody_who_waits_for_it() -> None:
    """Who gave it back is asked again after a while."""
    for seed in range(3):
        wrong, _ = run_once(f"unwilling/{seed}", kind=_Unwilling)
        assert not wrong


class _Forgetful(Rig):
    """Servers stand still for so long that workers let go of their turns."""

    turns, begin_s, cancelled = 2, 0.1, 0.0

    def _begin_hands(self) -> None:
        self._new_hand("alone", 4)

    def _size(self) -> Count:
        return Count(200, 50)

    async def _befall(self) -> None:
        self.kind = "servers"
        await asyncio.sleep(2.0)
        for server in self._servers:
            server.place.halt()
        await asyncio.sleep(12.0)
        for server in self._servers:
            server.place.go_on()


def test_a_worker_that_has_let_go_of_a_turn_has_not_given_it_back() -> None:
    """It was without a server for too long, and is as good as any for the next attempt."""
    for seed in range(3):
        wrong, rig = run_once(f"forgetful/{seed}", kind=_Forgetful)
        assert not wrong
        assert rig.judge.counts["said decline"] > 0
        restarted = [it for it in rig.log.events if it.HasField("turn_progressed")]
        assert not [it for it in restarted if "waiting" in it.turn_progressed.status]
