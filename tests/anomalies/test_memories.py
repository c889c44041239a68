"""What detectors remember is bounded, by whom and of each; and it is who was seen last."""

import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.anomalies.detecting import MOST_REMEMBERED, Detecting, Memories
from antiphon_server.anomalies.memories import MEMORIES, MOST_PLACES, MOST_TEXTS
from antiphon_server.anomalies.model import (
    NAMES,
    Cost,
    Detector,
    Found,
    Kind,
    NewPlace,
    OddHours,
    Rate,
    Repetition,
    Signal,
    Verdicts,
)
from antiphon_server.runtime.revisions.model import GLOBAL

BEGIN = 1_800_000_000.0
USERS = 100_000
MOST_BYTES_EACH = 2_700
"""Of a subject of one detector: 135 MB of 50,000 of whom all that may be is kept."""
KINDS: list[Kind] = [Rate(), Repetition(), Verdicts(), Cost(), NewPlace(), OddHours()]


def signal(kind: Kind, user: int, at: float, text: int = 1, amount: float = 1) -> Signal:
    """Something of somebody that a kind of detectors sees."""
    place = f"10.{text}.0.0/24"
    name = f"users/user_{user:08d}"
    sign = MEMORIES[type(kind)][0]
    return Signal(sign, BEGIN + at, name, "s", "c", "ws_1", text, 40, amount, place)


def seen(kind: Kind, memories: Memories, signals: Iterable[Signal]) -> list[Found]:
    """What a detector finds in them, one after the other."""
    ready = Detecting(GLOBAL, 1, [Detector("it", kind)])
    return [found for it in signals for _, _, found in ready.see(memories, it)]


def test_of_100_000_users_those_seen_last_are_remembered() -> None:
    """The others begin anew, so a flood of users makes nobody's flood pass who goes on."""
    kind, memories = Rate(most=10), Memories()
    flood = [signal(kind, 7, it / 10) for it in range(9)]
    assert seen(kind, memories, flood) == []
    others = (signal(kind, 1000 + it, 1) for it in range(USERS))
    assert seen(kind, memories, others) == []
    assert len(memories) == MOST_REMEMBERED
    assert seen(kind, memories, [signal(kind, 7, 2)]) == []  # forgotten, as all were seen later
    for number in range(9):
        crowd = (signal(kind, 2000 + number * 10_000 + it, 2) for it in range(10_000))
        assert seen(kind, memories, crowd) == []
        found = seen(kind, memories, [signal(kind, 7, 2)])
    assert [it.score for it in found] == [1]


@pytest.mark.parametrize("kind", KINDS, ids=lambda it: NAMES[type(it)])
def test_what_is_kept_of_each_is_little(kind: Kind) -> None:
    """However many texts and places they come up with."""
    memories, users = Memories(), 500
    tracemalloc.start()
    try:
        for user in range(users):
            seen(kind, memories, (signal(kind, user, it, 1_000_000 + it) for it in range(50)))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(memories) == users
    assert taken / users < MOST_BYTES_EACH


def test_texts_that_were_said_last_are_counted() -> None:
    """One between others is, and one that was said longer ago than two windows is forgotten."""
    kind, memories = Repetition(most=3), Memories()
    between = [it for n in range(3) for it in (1, *range(100 + n * 7, 100 + n * 7 + 7))]
    found = seen(kind, memories, (signal(kind, 1, n, it) for n, it in enumerate(between)))
    assert [it.evidence for it in found] == [{"times": 3, "most": 3}]
    many = [it for n in range(3) for it in (1, *range(200 + n * 9, 200 + n * 9 + MOST_TEXTS))]
    assert seen(kind, Memories(), (signal(kind, 1, n, it) for n, it in enumerate(many))) == []
    late = [signal(kind, 1, it * 700.0) for it in range(9)]
    assert seen(kind, Memories(), late) == []


def test_places_that_were_left_long_ago_are_new_again() -> None:
    """So many are known, those seen last."""
    kind, memories = NewPlace(), Memories()
    elsewhere = [signal(kind, 1, it * 10.0, it) for it in range(MOST_PLACES + 1)]
    assert len(seen(kind, memories, elsewhere)) == MOST_PLACES
    [back] = seen(kind, memories, [signal(kind, 1, 500.0, 0)])
    assert back.evidence == {"known_places": MOST_PLACES, "seconds_apart": 340}


@given(
    st.sampled_from(KINDS),
    st.lists(
        st.tuples(
            st.integers(1, 3), st.floats(-1e6, 1e6), st.integers(0, 2**64 - 1), st.floats(0, 1e12)
        ),
        max_size=60,
    ),
)
def test_whatever_comes_has_a_score(kind: Kind, told: list[tuple[int, float, int, float]]) -> None:
    """In any order, of any time and amount: from 0 to 1, and evidence of figures."""
    for found in seen(kind, Memories(), (signal(kind, *it) for it in told)):
        assert 0 < found.score <= 1
        assert all(it == it and abs(it) < 1e18 for it in found.evidence.values())


@given(st.lists(st.integers(1, 5), min_size=1, max_size=80), st.integers(1, 4))
def test_users_are_counted_each_by_themselves(users: list[int], most: int) -> None:
    """What one is flagged for depends on nobody else."""
    kind = Rate(most=most)
    together = [signal(kind, it, n / 100) for n, it in enumerate(users)]
    apart = [it for user in range(1, 6) for it in together if it.user.endswith(str(user))]
    ready = Detecting(GLOBAL, 1, [Detector("it", kind)])
    mixed, sorted_ = Memories(), Memories()
    one = [
        (key.subject, it.evidence["messages"])
        for s in together
        for key, _, it in ready.see(mixed, s)
    ]
    other = [
        (key.subject, it.evidence["messages"])
        for s in apart
        for key, _, it in ready.see(sorted_, s)
    ]
    assert sorted(one) == sorted(other)
