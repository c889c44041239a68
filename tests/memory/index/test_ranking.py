"""What speaks for a document beside its words."""

from antiphon_server.memory.index import Index, Query
from tests.memory.index.indexed import HERE, found, hits, index_of, message

SMALL_TALK = [f"Just chatting along about number {at}." for at in range(20)]


def test_who_is_named_is_heard_first() -> None:
    """Of two who say alike the one whom the query names."""
    index = Index()
    index.extend(
        HERE,
        [
            message(1, "I bought a red bicycle.", "Ines"),
            *(message(2 + at, text, "Tom") for at, text in enumerate(SMALL_TALK)),
            message(50, "I bought a red bicycle.", "Mara"),
        ],
    )
    assert found(index, "Which bicycle did Ines buy?")[0] == "m1"
    assert found(index, "Which bicycle did Mara buy?")[0] == "m50"


def test_an_answer_is_found_beside_its_question() -> None:
    """A turn without any of the words, next to one that has them."""
    index = index_of(*SMALL_TALK, "Where did you leave the umbrella?", "On the train, I fear.")
    assert set(found(index, "umbrella")[:2]) == {"m20", "m21"}


def test_a_turn_that_asks_stands_behind_one_that_tells() -> None:
    """Of two with the same words."""
    index = index_of("The parrot did escape.", *SMALL_TALK, "Did the parrot escape?")
    assert found(index, "parrot escape")[0] == "m0"


def test_when_wants_a_time() -> None:
    """A turn that says when comes before one that does not."""
    index = index_of("The concert was great.", *SMALL_TALK, "The concert was yesterday.")
    assert found(index, "When was the concert?")[0] == "m21"
    assert "date" in hits(index, "When was the concert?")[0].parts


def test_a_date_in_the_query_is_looked_for() -> None:
    """Of two that say alike the one that was said then, also counted from now."""
    day = 24 * 60
    index = Index()
    said = [message(at * day, "We went sailing.") for at in (30, 200)]  # 31 January, 20 July 1970
    index.extend(HERE, said)
    assert found(index, "sailing in January 1970")[0] == "m43200"
    assert found(index, "sailing in July")[0] == "m288000"
    for now, first in ((31, "m43200"), (201, "m288000")):
        query = Query("who went sailing yesterday", now_us=now * day * 60_000_000)
        assert found(index, query)[0] == first


def test_the_parts_make_the_score() -> None:
    """Whoever shows a hit can say why."""
    index = index_of(*SMALL_TALK, "The parrot did escape.")
    for hit in hits(index, "parrot"):
        assert abs(sum(hit.parts.values()) - hit.score) < 1e-4


def test_ties_are_stable() -> None:
    """What is alike comes the newest first, however often one asks, and within any limit."""
    index = index_of(*["The parrot did escape."] * 4, *SMALL_TALK)
    once = found(index, "parrot")
    assert once == found(index, "parrot")
    assert found(index, Query("parrot", limit=3)) == once[:3]
    other = Index()
    other.extend(HERE, [message(1, "An owl."), message(2, "An owl.")])
    assert found(other, "owl") == ["m2", "m1"]


def test_facts_are_no_neighbours() -> None:
    """What is known has no turn beside it: each fact stands for itself."""
    index = Index()
    index.extend(
        HERE,
        [message(1, "Likes green tea", kind="fact"), message(2, "Lives in Porto", kind="fact")],
    )
    assert found(index, "tea") == ["m1"]
