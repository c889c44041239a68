"""What was found is cut out."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from antiphon_server.filters.model import Finding


def cut(texts: Sequence[str], found: Iterable[Finding]) -> Sequence[str]:
    """The texts with ``[category]`` for each stretch of what was found; all else as it is."""
    left = list(texts)
    for at, group in groupby(sorted(found, key=_place), key=lambda it: it.text):
        left[at] = "".join(_pieces(texts[at], group))
    return left


def _pieces(text: str, found: Iterable[Finding]) -> Iterable[str]:
    """Of stretches that overlap the first one's category stands for all."""
    done = 0
    for it in found:
        if it.end <= done:
            continue
        if it.start >= done:
            yield text[done : it.start]
            yield f"[{it.category}]"
        done = it.end
    yield text[done:]


def _place(it: Finding) -> tuple[int, int, int]:
    return it.text, it.start, -it.end
