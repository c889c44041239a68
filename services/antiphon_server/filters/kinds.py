"""Which finders look for each kind of things."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antiphon_server.filters.finding import builtin
from antiphon_server.filters.finding.model import Bounded, Finder, Found
from antiphon_server.filters.finding.repetition import Repetition as Repeated
from antiphon_server.filters.finding.terms import Terms as Words
from antiphon_server.filters.finding.text import Text
from antiphon_server.filters.model import (
    Injection,
    Kind,
    Newer,
    Payload,
    PersonalData,
    Remote,
    Repetition,
    Secrets,
    Terms,
)

PERSONAL = frozenset({"card", "iban", "email", "phone", "ip"})
"""What of a person is looked for."""


def finders(kind: Kind) -> Sequence[Finder]:
    """Those for a kind; none for what models or others look for."""
    match kind:
        case Repetition():
            return [Repeated()]
    return masking_finders(kind)


def masking_finders(kind: Kind) -> Sequence[Bounded]:
    """Those by which text can be masked that comes in pieces; none where there are none."""
    match kind:
        case Secrets():
            return builtin.secrets()
        case PersonalData(categories, regions):
            found = builtin.personal_data(regions)
            return [_Only(it, frozenset(categories)) for it in found] if categories else found
        case Terms(words, parts):
            return [Words(words, parts)]
        case Payload():
            return builtin.payloads()
        case Repetition() | Injection() | Remote() | Newer():
            return []


@dataclass(frozen=True, slots=True)
class _Only:
    """A finder of which some categories count."""

    finder: Bounded
    categories: frozenset[str]

    @property
    def longest(self) -> int:
        return self.finder.longest

    @property
    def before(self) -> int:
        return self.finder.before

    def find(self, text: Text) -> Sequence[Found]:
        return [it for it in self.finder.find(text) if it.category in self.categories]

    def steps(self, text: Text) -> Iterator[Found | None]:
        for it in self.finder.steps(text):
            yield it if it and it.category in self.categories else None

    def look(self, text: Text) -> tuple[Sequence[Found], int]:
        found, undecided = self.finder.look(text)
        return [it for it in found if it.category in self.categories], undecided

    def spare(self, text: Text) -> tuple[int, int] | None:
        return self.finder.spare(text)
