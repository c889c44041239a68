"""Long words in pieces, and what stands where calls meet."""

from itertools import chain

from antiphon_server.integration.tools.pieces import (
    MOST_ASKED,
    PIECE,
    Piece,
    pieces_of,
    seams,
    whole,
)


def test_little_is_one_call() -> None:
    """Of a piece for each text, also for those in which nothing is."""
    words = [("a", 9), ("", 0), ("b", 0)]
    assert pieces_of(words) == [[Piece(0, "a", 9), Piece(1, "", 0), Piece(2, "b", 0)]]
    assert list(seams(pieces_of(words))) == []


def test_much_is_several_calls_that_meet() -> None:
    """No call is larger than it may be, nothing is lost, and no place is seen by halves alone."""
    long = "".join(chr(0x4E00 + it % 9_000) for it in range(PIECE * 30))
    words = [("before", 9), (long, 7), ("behind", 0)]
    calls = pieces_of(words)
    assert len(calls) > 2
    assert all(sum(len(it.text.encode()) for it in call) <= MOST_ASKED for call in calls)
    assert all(len(it.text) <= PIECE for it in chain.from_iterable(calls))
    assert whole(words, chain.from_iterable(calls)) == [text for text, _ in words]
    said = "before" + long + "behind"
    met = 0
    for call, seam in zip(calls, seams(calls), strict=False):
        met += sum(len(it.text) for it in call)
        assert said[met - 1_000 : met + 1_000] in seam
