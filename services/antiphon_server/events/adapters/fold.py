"""Which events take over the offsets of folded ones; the same for every store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from antiphon_server.events.model import Offset


class Span(NamedTuple):
    """The offsets that an event covers."""

    first: Offset
    last: Offset


@dataclass(frozen=True, slots=True)
class FoldPlan:
    """Remove the foldable spans that end at or before ``up_to``; widen the others named."""

    up_to: Offset | None
    widened: Sequence[Span]


def fold_spans(spans: Sequence[Span], foldable: Collection[Span]) -> FoldPlan:
    """Plan to fold ``foldable`` out of ``spans``, which are contiguous and in order.

    Each run of folded spans is taken over by the span behind it. A run at the end has
    nothing behind it and stays.
    """
    widened: list[Span] = []
    run_first: Offset | None = None
    up_to: Offset | None = None
    for span in spans:
        if span in foldable:
            run_first = span.first if run_first is None else run_first
        elif run_first is not None:
            widened.append(Span(run_first, span.last))
            up_to, run_first = span.last, None
    return FoldPlan(up_to, widened)
