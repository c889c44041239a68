"""Where blocks end, and which summaries that completes."""

from antiphon_server.memory.model import MessageId
from antiphon_server.memory.summaries.blocks import (
    LEAST,
    MOST,
    MOST_CHARACTERS,
    PAUSE_US,
    above,
    closed,
    cut,
)
from antiphon_server.memory.summaries.model import FAN_OUT, Node, Place, Posted


def posted(count: int, first_us: int = 0, size: int = 10) -> list[Posted]:
    """So many, a second after each other."""
    return [Posted(MessageId(f"m{at}"), "", first_us + at * 1_000_000, size) for at in range(count)]


def blocks(found: list[tuple[Posted, int]]) -> list[int]:
    """How many messages each block has."""
    numbers = [block for _, block in found]
    return [numbers.count(it) for it in range(numbers[-1] + 1)]


def test_a_block_ends_when_it_is_full() -> None:
    """Where nobody pauses."""
    place, found = cut(Place(), posted(2 * MOST + 1))
    assert blocks(found) == [MOST, MOST, 1]
    assert (place.block, place.count) == (2, 1)


def test_a_block_ends_at_a_pause_that_is_near() -> None:
    """One that comes sooner ends none."""
    early = posted(10) + posted(LEAST - 5, PAUSE_US * 2)
    _, found = cut(Place(), early + posted(3, PAUSE_US * 4))
    assert blocks(found) == [LEAST + 5, 3]


def test_a_block_of_pastes_ends_sooner() -> None:
    """A message that is longer than a block is one."""
    _, found = cut(Place(), posted(4, size=MOST_CHARACTERS // 2))
    assert blocks(found) == [2, 2]
    _, found = cut(Place(), posted(2, size=MOST_CHARACTERS * 2))
    assert blocks(found) == [1, 1]


def test_it_makes_no_difference_how_much_is_read_at_once() -> None:
    """Two servers that read the same in other pages cut alike."""
    those = posted(70) + posted(70, PAUSE_US * 9)
    whole, found = cut(Place(), those)
    place, pieces = Place(), []
    for it in those:
        place, piece = cut(place, [it])
        pieces += piece
    assert (place, pieces) == (whole, found)


def test_what_is_complete_is_told_once_on_each_level() -> None:
    """Also if many blocks are complete at once."""
    assert closed(0, 1) == [Node(0, 0)]
    assert closed(FAN_OUT - 1, FAN_OUT) == [Node(0, FAN_OUT - 1), Node(1, 0)]
    count = FAN_OUT**3 + 3
    one_by_one = [node for at in range(count) for node in closed(at, at + 1)]
    assert sorted(closed(0, count)) == sorted(one_by_one)
    assert len(set(one_by_one)) == len(one_by_one)
    assert Node(3, 0) in one_by_one


def test_a_block_is_a_part_of_one_on_each_level_that_is_complete() -> None:
    """And of none that isn't."""
    assert above(0, FAN_OUT) == [Node(0, 0), Node(1, 0)]
    assert above(FAN_OUT, FAN_OUT + 1) == [Node(0, FAN_OUT)]
    assert above(5, 5) == []
    assert all(it.has(FAN_OUT + 1) for it in above(FAN_OUT + 1, FAN_OUT**2))
