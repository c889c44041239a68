"""Odd hours: who speaks when they never do is flagged, who has a reason to is not."""

from collections.abc import Sequence

import pytest

from antiphon_server.anomalies.detecting import Detecting, Memories
from antiphon_server.anomalies.model import Detector, Found, OddHours, Sign, Signal
from antiphon_server.runtime.revisions.model import GLOBAL

MIDNIGHT = 1_800_057_600.0
"""Of a day, in UTC."""
DAY_S, HOUR_S = 86_400.0, 3_600.0
OFFICE = range(9, 17)


class Watched:
    """One user, as a detector of odd hours sees them."""

    def __init__(self, detector: Detector) -> None:
        self.ready, self.memories = Detecting(GLOBAL, 1, [detector]), Memories()

    def says(self, day: int, hour: float) -> list[Found]:
        """What is found in something said then."""
        at = MIDNIGHT + day * DAY_S + hour * HOUR_S
        found = self.ready.see(self.memories, Signal(Sign.SAID, at, "users/user_00000ann"))
        return [it for _, _, it in found]

    def works(self, days: Sequence[int], hours: Sequence[int] = OFFICE) -> list[Found]:
        """What is found on days on which something is said in each of these hours."""
        return [it for day in days for hour in hours for it in self.says(day, hour)]


@pytest.fixture
def ann() -> Watched:
    """Somebody who works in an office."""
    return Watched(Detector("odd", OddHours()))


def test_midnight_is_midnight() -> None:
    """The day begins where it does in UTC."""
    assert MIDNIGHT % DAY_S == 0


def test_who_speaks_at_night_after_days_of_office_hours_is_flagged(ann: Watched) -> None:
    """With the hour, its share, and how many hours there were; for all that is said in it."""
    assert ann.works(range(6)) == []
    [found] = ann.says(6, 3.1)
    assert found.score == 1
    assert found.evidence == {"hour": 3, "share": 0, "hours_seen": 6 * len(OFFICE)}
    assert ann.says(6, 3.8) == [found]


@pytest.mark.parametrize("hour", [8.5, 12.0, 17.5])
def test_the_hours_beside_are_ordinary(ann: Watched, hour: float) -> None:
    """Somebody comes early, or stays longer."""
    ann.works(range(6))
    assert ann.says(6, hour) == []


def test_nobody_is_judged_before_they_are_known(ann: Watched) -> None:
    """Below 40 hours nothing is odd; a detector may say another number."""
    assert ann.works(range(4)) == []
    assert ann.says(4, 3) == []
    soon = Watched(Detector("odd", OddHours(least_hours=20)))
    soon.works(range(4))
    assert soon.says(4, 3) != []


def test_who_speaks_at_all_hours_is_never_odd(ann: Watched) -> None:
    """A program that runs day and night."""
    assert ann.works(range(10), range(24)) == []


def test_hours_go_round_at_midnight(ann: Watched) -> None:
    """23 and 0 are beside each other; one hour further is not."""
    assert ann.works(range(50), [23]) == []
    assert ann.says(51, 0.5) == []
    assert ann.says(52, 2.5) != []


def test_a_new_habit_becomes_one(ann: Watched) -> None:
    """Who moves to the other side of the world is flagged at first, and then no more."""
    ann.works(range(10))
    found = [bool(ann.says(day, 2)) for day in range(10, 20)]
    assert found[0]
    assert not any(found[5:])


def test_much_in_one_hour_is_one_hour() -> None:
    """A thousand messages of a night make it no more usual than one, below a threshold of 1."""
    much, little = (Watched(Detector("odd", OddHours(), threshold=0.3)) for _ in range(2))
    for ann, number in ((much, 1000), (little, 1)):
        ann.works(range(10))
        for each in range(number):
            ann.says(10, 3 + each / 2000)
    assert much.says(11, 3) == little.says(11, 3) != []
