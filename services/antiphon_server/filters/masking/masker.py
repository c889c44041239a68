"""Masks a text while it is streamed: what is shown is what cutting the whole text would leave."""

from collections import Counter
from collections.abc import Sequence, Set

from antiphon_server.filters.finding.model import Bounded, Found
from antiphon_server.filters.finding.text import Text

_SMALL = 2048
_PART = 16
"""A larger text is looked at when a sixteenth of it is new: else each word would cost all of it."""
_MOST_CONTEXT = 16_384
"""Characters, invisible ones included, that are kept of what was shown to tell what follows."""


class Masker:
    """Shows a streamed text without what ``finders`` find, as soon as nothing can change it.

    It holds back from where a match may have begun, at most the longest one's visible characters
    and a sixteenth. A finder that has no longest match can't mask: it is no `Bounded`. Not to be
    shared; for one text, which goes on behind what was ``shown`` of it before. ``found`` counts
    what is masked, by category.
    """

    def __init__(
        self, finders: Sequence[Bounded], shown: str = "", found: Counter[str] | None = None
    ) -> None:
        self._finders = finders
        self._before = max((it.before for it in finders), default=0) + 1
        self._longest = max((it.longest for it in finders), default=0)
        self._context, self._held, self._new = shown[-_MOST_CONTEXT:], "", 0
        self._is_cut = bool(shown)
        self._hole = Found(0, 0, "")
        self.found = Counter[str]() if found is None else found

    def feed(self, delta: str) -> str:
        """What may be shown now, with what was said next; often nothing, or more than that."""
        self._held += delta
        self._new += len(delta)
        old = 0 if self._is_cut else len(self._context)  # else what is behind a call would wait
        size = old + len(self._held)
        if size > _SMALL and self._new * _PART < size:
            return ""
        self._new = 0
        return self._show(last=False)

    def end(self, delta: str = "") -> str:
        """The rest, as if nothing followed; of what goes on all the same the rest is masked."""
        self._held += delta
        if len(self._context) + len(self._held) > _MOST_CONTEXT // 2:
            self._spare(Text(self._context + self._held))  # else its begin would be forgotten
        shown = self._show(last=True)
        self._is_cut = True
        return shown

    def _show(self, last: bool) -> str:
        begin, text = len(self._context), Text(self._context + self._held)
        looks, until = [it.look(text) for it in self._finders], len(text.original)
        if not last:
            until = max(begin, min((undecided for _, undecided in looks), default=until))
        if until == begin:
            self._spare(text)
            return ""
        shown = self._masked(text, {it for found, _ in looks for it in found}, begin, until)
        self._keep(text, until, self._before + (self._longest if last else 0))
        self._is_cut = False
        return shown

    def _spare(self, text: Text) -> None:
        """Forget what is not needed of a match that goes on: all of it is masked."""
        spare = next(filter(None, (it.spare(text) for it in self._finders)), None)
        if spare is None:
            return
        begin, said, (start, end) = len(self._context), text.original, spare
        self._context = said[: min(begin, start)] + said[end : max(begin, end)]
        self._held = said[begin : max(begin, start)] + said[max(begin, end) :]
        hole, less = self._hole, end - start
        until = hole.end - less if hole.end >= end else min(hole.end, start)
        self._hole = Found(hole.start, until, hole.category)

    def _masked(self, text: Text, found: Set[Found], begin: int, until: int) -> str:
        """From ``begin`` to ``until``; the last hole may go on behind it."""
        pieces, hole = [], self._hole
        for it in sorted(found, key=lambda it: (it.start, -it.end, it.category)):
            if it.start >= until or (it.start < begin and not (self._is_cut and it.end > begin)):
                continue
            if it.start < hole.end or (it.start, it.category) == (hole.end, hole.category):
                hole = Found(hole.start, max(hole.end, it.end), hole.category)
                continue
            self.found[it.category] += 1
            pieces += [text.original[max(begin, hole.end) : it.start], f"[{it.category}]"]
            hole = it
        self._hole = hole
        pieces.append(text.original[max(begin, hole.end) : until])
        return "".join(pieces)

    def _keep(self, text: Text, until: int, before: int) -> None:
        """Behind ``until`` all is held; so many characters before it tell what follows."""
        normal = text.normal
        first = max(0, normal.after(until) - before)
        kept = normal.before(first) if first else 0  # with what is invisible in front
        start = min(until, max(kept, until - _MOST_CONTEXT))
        self._context, self._held = text.original[start:until], text.original[until:]
        hole = self._hole
        self._hole = Found(hole.start - start, hole.end - start, hole.category)
