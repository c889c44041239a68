"""Cuts conversations into blocks: where nobody spoke for a while, if that is near."""

from collections.abc import Iterable
from dataclasses import replace

from antiphon_server.memory.summaries.model import FAN_OUT, Node, Place, Posted

LEAST, MOST = 30, 50
"""Messages of a block: from the one on it ends at a pause, at the other in any case."""
MOST_CHARACTERS = 12_000
"""A block that has so many ends, too: pastes are long, and a prompt has few of them."""
PAUSE_US = 30 * 60 * 1_000_000


def cut(place: Place, posted: Iterable[Posted]) -> tuple[Place, list[tuple[Posted, int]]]:
    """Each message with its block, and where that ends; the cursor is left as it was."""
    found = list[tuple[Posted, int]]()
    for it in posted:
        if _ends(place, it):
            place = replace(place, block=place.block + 1, count=0, size=0)
        found.append((it, place.block))
        count, size = place.count + 1, place.size + it.size
        place = replace(place, count=count, size=size, last_us=max(it.time_us, place.last_us))
    return place, found


def closed(before: int, after: int) -> list[Node]:
    """What is complete when so many blocks are that wasn't when so many were, each level."""
    found, level = list[Node](), 0
    while after > before:
        found += [Node(level, number) for number in range(before, after)]
        before, after, level = before // FAN_OUT, after // FAN_OUT, level + 1
    return found


def above(block: int, blocks: int) -> list[Node]:
    """A block's summary and those that it is a part of, where so many blocks are closed."""
    found, node, complete = list[Node](), Node(0, block), blocks
    while node.number < complete:
        found.append(node)
        node, complete = node.parent, complete // FAN_OUT
    return found


def _ends(place: Place, following: Posted) -> bool:
    """Whether the open block ends in front of that message."""
    if not place.count:
        return False
    pauses = following.time_us - place.last_us >= PAUSE_US
    too_long = place.size + following.size > MOST_CHARACTERS
    return place.count >= MOST or too_long or (place.count >= LEAST and pauses)
