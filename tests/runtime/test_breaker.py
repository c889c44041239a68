"""What fails often is left alone, and tried with care."""

import itertools
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from antiphon_server.runtime.concurrency.breaker import USUAL, Breaker, BreakerOpen, Limits, State

RACERS = 1_000
SLOW_S = 10.0


class World:
    """A breaker whose clock is set by hand."""

    def __init__(self, limits: Limits = USUAL) -> None:
        self.now, self.turns = 100.0, list[State]()
        self.breaker = Breaker(limits, self.turns.append, lambda: self.now)

    def call(self, failed: bool | None) -> None:
        """One that ends at once. Raises BreakerOpen."""
        with self.breaker.passing() as passage:
            passage.failed = failed

    def is_in(self, state: State) -> bool:
        """Whether it is in that state now."""
        return self.breaker.state is state

    def open(self) -> None:
        """Fail as often as it takes."""
        for _ in range(5):
            self.call(failed=True)
        assert self.breaker.state is State.OPEN


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def slow() -> World:
    """Where slowness counts."""
    return World(Limits(slow_s=SLOW_S))


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


def test_slow_calls_open_it_while_they_wait(slow: World) -> None:
    """They need not end: whoever comes next finds that their time is over, or who looks."""
    with ExitStack() as begun:
        for _ in range(5):
            begun.enter_context(slow.breaker.passing())
            slow.now += 1
        slow.now += SLOW_S - 2
        slow.call(failed=None)
        assert slow.is_in(State.CLOSED)
        slow.now += 1
        assert slow.is_in(State.OPEN)
        assert slow.breaker.retry_after_s == 30.0
        with pytest.raises(BreakerOpen):
            slow.call(failed=False)


def test_a_slow_call_counts_once_however_it_ends(slow: World) -> None:
    """Of four that were slow, and ended well, badly, cancelled or late with an answer, it stays."""
    for failed in (False, True, None, False):
        with slow.breaker.passing() as passage:
            slow.now += SLOW_S
            if failed is False:
                passage.answers()
            passage.failed = failed
    assert slow.is_in(State.CLOSED)
    slow.call(failed=True)
    assert slow.is_in(State.OPEN)


def test_what_is_answered_in_time_is_not_slow_however_long_it_takes(slow: World) -> None:
    """An answer may go on for minutes."""
    for _ in range(100):
        with slow.breaker.passing() as passage:
            slow.now += SLOW_S - 1
            passage.answers()
            slow.now += 300
            passage.failed = False
    assert slow.turns == []


def test_slow_calls_and_failures_count_together(slow: World) -> None:
    """Two that wait, and three that have failed."""
    with slow.breaker.passing(), slow.breaker.passing():
        slow.now += SLOW_S
        slow.call(failed=True)
        slow.call(failed=True)
        assert slow.is_in(State.CLOSED)
        slow.call(failed=True)
    assert slow.turns == [State.OPEN]


def test_slowness_counts_only_where_it_is_said_what_that_is(world: World) -> None:
    """By default a call may wait for ever."""
    with ExitStack() as begun:
        for _ in range(100):
            begun.enter_context(world.breaker.passing())
        world.now += 100_000
        assert world.is_in(State.CLOSED)


def test_a_slow_probe_opens_it_again(slow: World) -> None:
    """While it waits, and also when its answer comes at last."""
    slow.open()
    slow.now += 30
    with slow.breaker.passing() as probe:
        slow.now += SLOW_S
        assert slow.is_in(State.OPEN)
        slow.now += 30
        probe.answers()
        probe.failed = False
    assert slow.is_in(State.HALF_OPEN)
    with slow.breaker.passing() as probe:
        slow.now += SLOW_S
        probe.answers()
    assert slow.turns == [State.OPEN] * 3


def test_slow_calls_that_began_before_it_opened_say_nothing_of_now(slow: World) -> None:
    """It has closed since."""
    with ExitStack() as begun:
        for _ in range(100):
            begun.enter_context(slow.breaker.passing())
        slow.open()
        slow.now += 30
        slow.call(failed=False)
    assert slow.turns == [State.OPEN, State.CLOSED]


def test_who_would_wait_can_ask_before(slow: World) -> None:
    """Whether it is open by itself, by slowness that nobody has counted yet, or by hand."""
    slow.breaker.check()
    with ExitStack() as begun:
        for _ in range(5):
            begun.enter_context(slow.breaker.passing())
        slow.now += SLOW_S
        with pytest.raises(BreakerOpen) as refused:
            slow.breaker.check()
    assert refused.value.retry_after_s == 30.0
    slow.now += 30
    slow.breaker.check()
    slow.breaker.open()
    with pytest.raises(BreakerOpen) as refused:
        slow.breaker.check()
    assert refused.value.retry_after_s is None
