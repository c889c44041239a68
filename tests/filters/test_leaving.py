"""What is left of texts keeps to the room that there is for them."""

from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.leaving import left
from antiphon_server.filters.model import ANY, Room

CARD = Found(4, 7, "card")
TEXT = "pay 411 now"


def test_a_mark_says_what_was_found() -> None:
    """Where nobody says how long a text may be, or it is not too long."""
    assert left([TEXT], [CARD], ANY) == ["pay [card] now"]
    assert left([TEXT], [CARD], Room([14], 14)) == ["pay [card] now"]


def test_a_mark_is_short_where_there_is_no_room_for_a_longer_one() -> None:
    """In that text alone."""
    found = [CARD, Found(15, 18, "card")]
    assert left([TEXT, TEXT], found, Room([13, 20])) == ["pay * now", "pay [card] now"]


def test_all_texts_together_have_room() -> None:
    """Or none has a long mark."""
    found = [CARD, Found(15, 18, "card")]
    assert left([TEXT, TEXT], found, Room(total=27)) == ["pay * now", "pay * now"]


def test_room_is_counted_in_bytes() -> None:
    """As the contract counts it."""
    assert left(["größe 411"], [Found(6, 9, "card")], Room([12])) == ["größe *"]


def test_nothing_is_cut_out_of_what_can_not_be_changed() -> None:
    """What is found elsewhere is."""
    assert left(["12", TEXT], [Found(0, 2, "card")], Room([0])) is None
    assert left(["12", TEXT], [Found(6, 9, "card")], Room([0])) == ["12", "pay [card] now"]
