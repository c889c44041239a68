"""Times as they go over the wire."""

import pytest

from antiphon_server.runtime.rpc.times import duration


@pytest.mark.parametrize(
    ("seconds", "whole", "nanos"),
    [(0, 0, 0), (0.25, 0, 250_000_000), (1.1, 1, 100_000_000), (1.9999999999, 2, 0)],
)
def test_a_duration_is_the_nearest_nanosecond(seconds: float, whole: int, nanos: int) -> None:
    """Also where that is the next second."""
    assert (duration(seconds).seconds, duration(seconds).nanos) == (whole, nanos)
