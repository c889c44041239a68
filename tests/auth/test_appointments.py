"""Those who found no room come back one after another."""

from itertools import pairwise

from antiphon_server.auth.adapters.appointments import LONGEST_S, SHARE, SOONEST_S, Appointments


def test_each_comes_when_there_is_room() -> None:
    """No two at once; a little slower than they can be served, and the first not at once."""
    appointments = Appointments(clock=lambda: 100.0)
    waits = [appointments.make(each_s=0.4) for _ in range(5)]
    apart = [later - earlier for earlier, later in pairwise(waits)]
    assert waits[0] > SOONEST_S
    assert [round(it, 6) for it in apart] == [0.4 / SHARE] * 4


def test_nobody_waits_for_longer_than_a_minute() -> None:
    """A crowd that is larger comes back spread over half a minute."""
    appointments = Appointments(clock=lambda: 100.0)
    waits = [appointments.make(each_s=1.0) for _ in range(500)]
    late = waits[100:]
    assert max(waits) <= LONGEST_S
    assert min(late) >= LONGEST_S / 2
    assert len({round(it) for it in late}) > 20


def test_a_crowd_that_is_served_is_forgotten() -> None:
    """Who comes after it waits no longer than the first."""
    now = 100.0
    appointments = Appointments(clock=lambda: now)
    first, *_ = [appointments.make(each_s=0.1) for _ in range(100)]
    now += LONGEST_S
    assert appointments.make(each_s=0.1) == first
