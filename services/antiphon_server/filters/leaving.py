"""What is left of texts when something is cut out of them, within the limits that they have."""

from collections.abc import Sequence
from itertools import zip_longest

from antiphon_server.filters.finding.cutting import cut
from antiphon_server.filters.finding.model import MOST_FOUND, Found
from antiphon_server.filters.model import Room

SHORT = "*"
"""A mark that is never longer than what it stands for. None at all would join what it parted."""


def left(texts: Sequence[str], found: Sequence[Found], room: Room) -> Sequence[str] | None:
    """The texts with marks in place of what was found: None if it can't be cut out of one.

    A mark is `[category]`, or short where the text would be longer than it may be. Of what has
    `MOST_FOUND` there may be more.
    """
    if len(found) >= MOST_FOUND:
        return None
    marked, short = cut(texts, found), cut(texts, found, SHORT)
    new = [
        long if most is None or _size(long) <= most else less
        for long, less, most in zip_longest(marked, short, room.each[: len(texts)])
    ]
    if room.total is not None and sum(map(_size, new)) > room.total:
        new = short
    is_fixed = (most == 0 for most in room.each)
    changed = any(it and old != text for it, old, text in zip(is_fixed, texts, new, strict=False))
    return None if changed else new


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
