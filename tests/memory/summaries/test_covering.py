"""Which summaries tell of a beginning, and what of them fits."""

import random

import pytest

from antiphon_server.memory.summaries.covering import cost, cover, finer, fitted, without
from antiphon_server.memory.summaries.model import FAN_OUT, Line, Node, Summary


def blocks_of(nodes: list[Node]) -> list[int]:
    """All blocks that they are of."""
    return [
        block
        for it in nodes
        for block in range(it.number * FAN_OUT**it.level, (it.number + 1) * FAN_OUT**it.level)
    ]


def made(node: Node, lines: int = 5) -> Summary:
    """One that says so much."""
    said = [
        Line(f"{node.level}.{node.number} line {at} " + "x" * 40, weight=at) for at in range(lines)
    ]
    return Summary(node, messages=1, people=said)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 63, 64, 65, 511, 512, 2500])
def test_every_block_is_told_of_once_and_few_summaries_do(count: int) -> None:
    """The old ones by coarse summaries."""
    nodes = cover(count)
    assert blocks_of(nodes) == list(range(count))
    levels = [it.level for it in nodes]
    assert levels == sorted(levels, reverse=True)
    assert len(nodes) <= (FAN_OUT - 1) * 5


def test_a_bad_block_takes_nothing_else_away() -> None:
    """What is coarser is replaced by its other parts."""
    nodes = without(cover(70), {9})
    assert blocks_of(nodes) == [it for it in range(70) if it != 9]


def test_what_is_new_is_told_more_finely() -> None:
    """As far as there is room."""
    known = {it: made(it) for level in range(3) for it in [Node(level, n) for n in range(100)]}
    nodes, budget, is_finer = cover(64), 1900, True
    while is_finer:
        nodes, is_finer = finer(nodes, known, budget)
    assert blocks_of(nodes) == list(range(64))
    levels = [it.level for it in nodes]
    assert (levels[0], levels[-1]) == (1, 0)
    assert levels == sorted(levels, reverse=True)
    assert sum(cost(known[it]) for it in nodes) <= budget


def test_never_more_than_the_budget() -> None:
    """Whatever summaries say, and none is made longer."""
    chance = random.Random(7)
    for _ in range(500):
        summaries = [made(Node(0, at), chance.randrange(6)) for at in range(chance.randrange(20))]
        budget = chance.randrange(1500)
        kept, left_out = fitted(summaries, budget)
        told = [it for it in summaries if it.lines]
        assert sum(map(cost, kept)) <= budget
        assert len(kept) + left_out == len(told)
        assert all(it.lines for it in kept)


def test_light_lines_go_first_and_the_oldest_summaries_last() -> None:
    """Each keeps what matters most while there is room for a line of all."""
    summaries = [made(Node(0, at)) for at in range(6)]
    kept, left_out = fitted(summaries, 400)
    assert (len(kept), left_out) == (6, 0)
    assert all(it.people[-1].weight == 4 for it in kept)
    assert len(kept[-1].lines) >= len(kept[0].lines)
    kept, left_out = fitted(summaries, 70)
    assert (kept[-1].node.number, left_out) == (5, 6 - len(kept))
