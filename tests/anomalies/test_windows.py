"""Windows hold what is true of any order of signals: sums lie between what was, and don't leap."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.anomalies.windows import USUAL_AFTER, Window, counted, within

LENGTH = 60.0
BEGIN = 1_800_000_000.0
TIMES = st.lists(st.floats(0, 600, allow_nan=False), min_size=1, max_size=60)


@given(TIMES)
def test_what_is_counted_lies_between_one_window_and_two(times: list[float]) -> None:
    """No less than what came in the window that began last, no more than in the last two."""
    window = Window()
    for number, at in enumerate(sorted(times), 1):
        found, so_far = window.add(BEGIN + at, LENGTH, 1), sorted(times)[:number]
        in_this = sum(1 for it in so_far if it >= at // LENGTH * LENGTH)
        in_both = sum(1 for it in so_far if it >= at - 2 * LENGTH)
        assert in_this <= found <= in_both


@given(TIMES)
def test_a_tally_counts_as_a_window_does(times: list[float]) -> None:
    """It only learns nothing: also of what comes late, or in any other order."""
    window, tally = Window(), None
    for at in (BEGIN + it for it in times):
        tally = counted(tally, at, LENGTH, 1)
        assert math.isclose(window.add(at, LENGTH, 1), within(tally, at, LENGTH))


@given(TIMES, st.floats(1, 100), st.floats(1, 20), st.floats(0, 50))
def test_a_share_is_one_at_most_and_grows(
    times: list[float], most: float, many: float, least: float
) -> None:
    """Whatever was learned, more is never more ordinary, and what nobody may is not."""
    window = Window()
    for at in sorted(times):
        window.add(BEGIN + at, LENGTH, 1)
    shares = [window.share(it, most, many, least) for it in (0.0, 0.5, 1.0, 7.0, 60.0, 1e9)]
    assert all(0 <= it <= 1 for it in shares)
    assert all(less <= more for less, more in pairwise(shares))
    assert shares[-1] == window.share(most, most, many, least) == 1


@given(st.integers(1, 10_000), st.integers(USUAL_AFTER, 60))
def test_a_flood_does_not_make_floods_usual(flood: int, seen: int) -> None:
    """One window teaches at most twice what was usual."""
    window = Window()
    for number in range(seen):
        window.add(BEGIN + number * LENGTH, LENGTH, 2)
    window.add(BEGIN + seen * LENGTH, LENGTH, flood)
    before = window.usual
    window.add(BEGIN + (seen + 1) * LENGTH, LENGTH, 1)
    assert window.usual <= before * 1.2


def test_windows_without_anything_teach_nothing() -> None:
    """Who comes once a week is compared with what they do then."""
    window = Window()
    for week in range(20):
        window.add(BEGIN + week * 604_800, LENGTH, 30)
    assert window.usually() == {"usual": 30}
    assert window.share(60, most=1000, times=4, least=20) == 0.5
    assert Window().usually() == {}
    assert Window().share(60, most=1000, times=4, least=20) == 0.06
