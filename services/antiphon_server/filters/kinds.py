"""Which finders look for each kind of things."""

from collections.abc import Sequence

from antiphon_server.filters.finding.model import Finder, Found
from antiphon_server.filters.finding.text import Text
from antiphon_server.filters.model import Kind, Terms


class _T:
    def __init__(self, terms):
        self.terms = terms

    def find(self, text: Text) -> Sequence[Found]:
        return [
            Found(at, at + len(t), "term") for t in self.terms if (at := text.original.find(t)) >= 0
        ]


def finders(kind: Kind) -> Sequence[Finder]:
    if isinstance(kind, Terms):
        return [_T(kind.terms)]
    return []
