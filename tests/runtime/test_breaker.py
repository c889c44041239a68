"""What fails often is left alone, and tried with care."""

import itertools
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from antiphon_server.runtime.concurrency.breaker import Breaker, BreakerOpen, State

RACERS = 1_000


class World:
    """A breaker whose clock is set by hand."""

    def __init__(self) -> None:
        self.now, self.turns = 100.0, list[State]()
        self.breaker = Breaker(changed=self.turns.append, clock=lambda: self.now)

    def call(self, failed: bool | None) -> None:
        """One that ends at once. Raises BreakerOpen."""
        with self.breaker.passing() as passage:
            passage.failed = failed

    def open(self) -> None:
        """Fail as often as it takes."""
        for _ in range(5):
            self.call(failed=True)
        assert self.breaker.state is State.OPEN


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("ends", sorted(set(itertools.permutations("FFFFFssss"))))
def test_it_opens_at_five_failures_of_the_last_ten(world: World, ends: tuple[str, ...]) -> None:
    """In whatever order they come, with the fifth."""
    for number, end in enumerate(ends):
        if ends[:number].count("F") == 5:
            with pytest.raises(BreakerOpen):
                world.call(failed=False)
            return
        assert world.breaker.state is State.CLOSED
        world.call(failed=end == "F")
    assert world.turns == [State.OPEN]


def test_failures_that_are_long_past_do_not_count(world: World) -> None:
    """Four of each ten fail for ever, and all calls pass."""
    for number in range(1_000):
        world.call(failed=number % 10 < 4)
    assert world.breaker.state is State.CLOSED


def test_what_says_nothing_of_others_does_not_count(world: World) -> None:
    """Calls that are cancelled or raise, and those refused for what they are."""
    for _ in range(100):
        world.call(failed=None)
        with pytest.raises(ValueError, match="raised"), world.breaker.passing():
            raise ValueError("raised")
    assert world.breaker.state is State.CLOSED


def test_one_of_a_thousand_tries_whether_it_is_back(world: World) -> None:
    """All others are told to wait; when that one succeeds, all pass."""
    world.open()
    world.now += 29.9
    with pytest.raises(BreakerOpen) as refused:
        world.call(failed=False)
    assert refused.value.retry_after_s == pytest.approx(0.1)
    assert world.breaker.retry_after_s == pytest.approx(0.1)
    world.now += 0.1
    assert (world.breaker.state, world.breaker.retry_after_s) == (State.HALF_OPEN, 0.0)
    passed = 0
    with world.breaker.passing() as probe:
        for _ in range(RACERS):
            try:
                world.call(failed=False)
            except BreakerOpen:
                continue
            passed += 1
        probe.failed = False
    assert passed == 0
    assert world.turns == [State.OPEN, State.CLOSED]
    for _ in range(4):  # what failed before is forgotten
        world.call(failed=True)
    assert world.breaker.state is State.CLOSED


def test_a_probe_that_fails_opens_it_again(world: World) -> None:
    """For as long as at first."""
    world.open()
    world.now += 30
    world.call(failed=True)
    assert (world.breaker.state, world.breaker.retry_after_s) == (State.OPEN, 30.0)


def test_a_probe_that_is_cancelled_makes_room_for_the_next(world: World) -> None:
    """Nothing is known by it."""
    world.open()
    world.now += 30
    world.call(failed=None)
    assert world.turns == [State.OPEN]
    world.call(failed=False)
    assert world.turns == [State.OPEN, State.CLOSED]


def test_a_probe_that_begins_to_answer_lets_all_others_pass(world: World) -> None:
    """Its answer may take minutes, and may break off in the end; that is one call's failure."""
    world.open()
    world.now += 30
    with world.breaker.passing() as probe:
        probe.answers()
        for _ in range(RACERS):
            world.call(failed=False)
        probe.answers()
        probe.failed = True
    assert world.turns == [State.OPEN, State.CLOSED]


def test_an_answer_that_begins_closes_nothing_unless_it_is_a_probe(world: World) -> None:
    """It began before others failed."""
    with world.breaker.passing() as passage:
        world.open()
        passage.answers()
    assert world.turns == [State.OPEN]


def test_a_probe_that_hangs_does_not_keep_it_half_open(world: World) -> None:
    """The next one may try after 30 s; what the first says in the end is as good."""
    world.open()
    world.now += 30
    with world.breaker.passing() as hangs:
        world.now += 29
        with pytest.raises(BreakerOpen) as refused:
            world.call(failed=False)
        assert refused.value.retry_after_s == pytest.approx(1)
        world.now += 1
        world.call(failed=False)
        assert world.breaker.state is State.CLOSED
        hangs.failed = True
    assert world.breaker.state is State.CLOSED


def test_how_calls_end_that_began_before_it_opened_says_nothing_of_now(world: World) -> None:
    """A hundred that hang for a minute do not open it anew when it has closed."""
    with ExitStack() as begun:
        passages = [begun.enter_context(world.breaker.passing()) for _ in range(100)]
        world.open()
        world.now += 30
        world.call(failed=False)
        for passage in passages:
            passage.failed = True
    assert world.breaker.state is State.CLOSED


def test_what_is_opened_by_hand_is_closed_by_hand(world: World) -> None:
    """Whatever the time, and however calls end that were under way."""
    with world.breaker.passing() as before:
        world.breaker.open()
        before.failed = False
    for _ in range(3):
        world.now += 1_000
        with pytest.raises(BreakerOpen) as refused:
            world.call(failed=False)
        assert refused.value.retry_after_s is None
        assert (world.breaker.state, world.breaker.retry_after_s) == (State.OPEN, 0.0)
    world.breaker.open()
    assert world.breaker.by_hand
    world.breaker.close()
    assert not world.breaker.by_hand
    world.call(failed=False)
    assert world.turns == [State.OPEN, State.CLOSED]


def test_what_is_closed_by_hand_forgets_what_failed(world: World) -> None:
    """Also while it is closed; what fails from then on opens it anew."""
    world.open()
    world.breaker.close()
    for _ in range(3):
        for _ in range(4):
            world.call(failed=True)
        world.breaker.close()
    world.open()


def test_it_knows_since_when_it_is_open(world: World) -> None:
    """A probe that fails is not the beginning."""
    seen = [world.breaker.since_us]

    def after(act: Callable[[], object]) -> bool:
        """Whether it is in another state since then."""
        time.sleep(0.001)
        act()
        seen.append(world.breaker.since_us)
        return seen[-1] > seen[-2]

    def half_open_fails() -> None:
        world.now += 30
        world.call(failed=True)

    assert after(world.open)
    assert not after(half_open_fails)
    assert after(world.breaker.open)
    assert not after(world.breaker.open)
    assert after(world.breaker.close)
    assert not after(world.breaker.close)
