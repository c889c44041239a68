"""Chooses which summaries tell of a conversation's beginning: coarser ones of what is older."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from antiphon_server.memory.summaries.model import FAN_OUT, Line, Node, Summary
from antiphon_server.runtime.encoding.token_estimate import tokens_of_text

_LABEL_TOKENS = 16
"""Of when it was, and of how many messages."""
_LINE_TOKENS = 9
"""Of who said it."""


def cover(blocks: int) -> list[Node]:
    """The fewest summaries that are together of the first so many blocks, the oldest first."""
    found, level = list[Node](), 0
    while blocks:
        first = blocks - blocks % FAN_OUT
        found[:0] = [Node(level, number) for number in range(first, blocks)]
        blocks, level = blocks // FAN_OUT, level + 1
    return found


def without(nodes: Sequence[Node], bad: Collection[int]) -> list[Node]:
    """The summaries, those that are of a bad block replaced by what they are made of."""
    found = list[Node]()
    for it in nodes:
        if not any(map(it.has, bad)):
            found.append(it)
        elif it.level:
            found += without(it.children, bad)
    return found


def cost(summary: Summary) -> int:
    """What it takes of a prompt, in tokens, about; 0 if it says nothing."""
    if not summary.lines:
        return 0
    return _LABEL_TOKENS + sum(map(line_cost, summary.lines))


def line_cost(line: Line) -> int:
    """What a line takes, in tokens, about."""
    return tokens_of_text(line.text) + _LINE_TOKENS


def finer(
    nodes: Sequence[Node], known: Mapping[Node, Summary], budget: int
) -> tuple[list[Node], bool]:
    """The newest of the coarse ones replaced by its parts, if those are known and fit.

    The second is false if nothing can be replaced.
    """
    total = sum(cost(known[it]) for it in nodes if it in known)
    for at in range(len(nodes) - 1, -1, -1):
        node = nodes[at]
        if not node.level or node not in known:
            continue
        if any(it not in known for it in node.children):
            return list(nodes), False
        parts = sum(cost(known[it]) for it in node.children)
        if total - cost(known[node]) + parts > budget:
            return list(nodes), False
        return [*nodes[:at], *node.children, *nodes[at + 1 :]], True
    return list(nodes), False


def fitted(summaries: Sequence[Summary], budget: int) -> tuple[list[Summary], int]:
    """What of them fits, in order, and how many are left out.

    Where all don't, each gives up its lightest lines; if one line each is too much, the oldest go.
    """
    told = [it for it in summaries if it.lines]
    if sum(map(cost, told)) <= budget:
        return told, 0
    least = [_LABEL_TOKENS + min(map(line_cost, it.lines)) for it in told]
    kept, left, older = list[Summary](), budget, sum(least)
    for at in range(len(told) - 1, -1, -1):  # the newest may have more than its share
        older -= least[at]
        if least[at] <= left:
            share = min(2 * left // (at + 2), left - older)
            kept.append(_shortened(told[at], max(share, least[at])))
            left -= cost(kept[-1])
    return kept[::-1], len(told) - len(kept)


def _shortened(summary: Summary, budget: int) -> Summary:
    """Its heaviest lines that fit, in their order."""
    left, chosen = budget - _LABEL_TOKENS, set[Line]()
    for line in sorted(summary.lines, key=lambda it: -it.weight):
        if line_cost(line) <= left:
            chosen.add(line)
            left -= line_cost(line)
    people = [it for it in summary.people if it in chosen]
    assistants = [it for it in summary.assistants if it in chosen]
    return replace(summary, people=people, assistants=assistants)
