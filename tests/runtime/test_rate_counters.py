"""Calls are counted by the minute, exactly, in bounded memory."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.runtime.limits.rate_counters import MOST_TRACKED, WINDOW_S, MemoryCounters
from antiphon_server.runtime.limits.rate_limits import Limit

BEGIN = 1_800_000_000.0  # a full minute


class Clock:
    """Unix time that moves when told to."""

    def __init__(self) -> None:
        self.time = BEGIN

    def __call__(self) -> float:
        return self.time


def limit(most: int) -> Limit:
    return Limit("writes", "principal", most)


def test_a_minute_has_as_many_calls_as_the_limit_says() -> None:
    """And the next minute again, for whoever spreads them out."""
    clock = Clock()
    counters = MemoryCounters(clock)
    taken = sum(counters.spend(limit(100), "ann") == 0 for _ in range(500))
    assert taken == 100
    assert counters.spend(limit(100), "bob") == 0
    clock.time += 2 * WINDOW_S
    taken = 0
    for _ in range(600):  # ten a second, for a minute
        taken += counters.spend(limit(100), "ann") == 0
        clock.time += 0.1
    assert taken == 100


@given(
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 90), st.integers(1, 80)), min_size=1, max_size=12),
)
def test_the_wait_is_right_to_the_second(most: int, bursts: list[tuple[float, int]]) -> None:
    """After it one call is let through; a second before it none is."""
    clock = Clock()
    counters = MemoryCounters(clock)
    for pause, calls in bursts:
        clock.time += pause
        for _ in range(calls):
            wait = counters.spend(limit(most), "ann")
        if wait == 0:
            continue
        assert 0 < wait <= 2 * WINDOW_S
        now = clock.time
        if wait > 1:
            clock.time = now + wait - 1
            assert counters.spend(limit(most), "ann") > 0
        clock.time = now + wait
        assert counters.spend(limit(most), "ann") == 0


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_jumps_locks_nobody_out(hours: int) -> None:
    """Its minute counts, whichever it is."""
    clock = Clock()
    counters = MemoryCounters(clock)
    while counters.spend(limit(9), "ann") == 0:
        pass
    clock.time += hours * 3600
    assert counters.spend(limit(9), "ann") == 0


def test_a_million_addresses_take_bounded_memory() -> None:
    """At most 20 MB for a limit; who calls all the time stays known among them."""
    counters = MemoryCounters(Clock())
    offender = limit(10)

    def flood(numbers: range) -> None:
        for number in numbers:
            counters.spend(offender, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
            if number % 10_000 == 0:
                counters.spend(offender, "192.0.2.1")

    tracemalloc.start()
    flood(range(MOST_TRACKED + 5_000))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 20 << 20
    flood(range(MOST_TRACKED + 5_000, 1_000_000))  # tracing takes ten times as long
    assert len(list(counters.live())) == MOST_TRACKED
    assert counters.spend(offender, "192.0.2.1") > 0
