"""What may not be read counts for nothing; bounds leave the rest as it is."""

import pytest

from antiphon_server.memory.index import Index, PartitionKey, Query
from tests.memory.index.indexed import HERE, THERE, found, hits, index_of, message, messages

TEXTS = (
    "The parrot escaped from its cage.",
    "Which parrot do you mean?",
    "The green one, it sat on the roof.",
    "Did you call the fire brigade?",
    "I had a parrot as a child.",
)


def test_others_words_change_no_score() -> None:
    """A partition beside it that is not readable: the same hits, to the last digit."""
    alone, beside = Index(), Index()
    beside.extend(THERE, messages(*["A parrot, a cage, and Mara on the roof."] * 300))
    for index in (alone, beside):
        index.extend(HERE, messages(*TEXTS))
    beside.extend(THERE, [message(1000, "Another parrot for Ines?", "Ines")])
    for asked in ("parrot", "where did Mara's parrot sit", "roof cage"):
        assert hits(alone, asked) == hits(beside, asked)


def test_what_is_readable_is_ranked_as_one() -> None:
    """Over several partitions; unknown ones are passed over, and none finds nothing."""
    index = index_of(*TEXTS)
    index.extend(THERE, [message(9, "A parrot on a roof.")])
    assert {hit.partition for hit in hits(index, "parrot", (HERE, THERE))} == {HERE, THERE}
    assert {hit.partition for hit in hits(index, "parrot", (THERE, PartitionKey("?")))} == {THERE}
    assert hits(index, "parrot", ()) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query("parrot", speaker_ids=frozenset(("users/ines",))), {"m1", "m3"}),
        (Query("parrot", kinds=frozenset(("fact",))), {"m9"}),
        (Query("parrot", not_before_us=2 * 60_000_000), {"m3", "m4", "m9", "m2"}),
        (Query("parrot", before_us=2 * 60_000_000), {"m0", "m1"}),
        (Query("parrot", kinds=frozenset(("event",))), set()),
    ],
)
def test_bounds_leave_out_what_is_beyond_them(query: Query, expected: set[str]) -> None:
    """By who said it, its kind, and when."""
    index = index_of(*TEXTS)
    index.extend(HERE, [message(9, "Owns a parrot", "Tom", kind="fact")])
    assert set(found(index, query)) == expected
