"""What a turn that began twice is held against whom."""

import math

from tests.proofs.workers.rolling_judge import Life, judged_begins, went_on

TURN = "turn_00000001"


def _life(
    begun: float, *, away: tuple[float, float] | None = None, told_at: float = math.inf
) -> Life:
    stopped = {TURN: told_at + 1} if math.isfinite(told_at) else {}
    return Life([(TURN, begun)], stopped, [away] if away else [], told_at)


def test_one_that_began_once_is_held_against_nobody() -> None:
    """However often its worker was away."""
    came = judged_begins([_life(1.0, away=(2.0, 30.0))])
    assert (came.handed_over_s, came.away, came.needless) == ([], [], [])
    assert came.longest_away_s == 28.0


def test_a_worker_that_stops_hands_over() -> None:
    """Nobody worked on it from its stop to the next begin."""
    came = judged_begins([_life(13.5), _life(1.0, told_at=10.0)])
    assert (came.handed_over_s, came.needless) == ([2.5], [])


def test_a_worker_that_was_away_for_long_has_lost_it() -> None:
    """Here for 6 s, and before the turn began anew."""
    came = judged_begins([_life(1.0, away=(10.0, 16.0)), _life(15.5)])
    assert (came.away, came.needless) == ([6.0], [])


def test_a_worker_that_was_there_keeps_it() -> None:
    """So it does if it was away for a moment, or before it had the turn, or later."""
    for away in (None, (10.0, 14.0), (1.0, 8.0), (20.0, 40.0)):
        came = judged_begins([_life(9.0, away=away), _life(15.5)])
        assert len(came.needless) == 1
        assert TURN in came.needless[0]


def test_what_was_assigned_without_a_begin_went_on() -> None:
    """At the worker that had it."""
    assert went_on({TURN: 3}, [_life(1.0), _life(5.0)]) == 1
