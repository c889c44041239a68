"""Rules, made ready once: which of them match a message."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from antiphon_server.routing.checking import broken
from antiphon_server.routing.model import ANY, Match, Rule, Said
from antiphon_server.runtime.errors import DomainError

Holds: TypeAlias = Callable[[Said], bool]
Find: TypeAlias = Callable[[str], AbstractSet[int]]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule, what must hold for it, and its patterns' numbers, of which one must be found."""

    rule: Rule
    holds: Sequence[Holds]
    patterns: AbstractSet[int]


class Table:
    """All rules of a parent at a revision, ready to be asked.

    ``broken`` says why they could not be set here: a name twice, too many rules, neither a handler
    nor a classifier or both, a pattern that is none or too large. Of patterns that can't be looked
    for no rule matches.
    """

    def __init__(self, parent: str, revision: int, rules: Sequence[Rule]) -> None:
        self.parent, self.revision = parent, revision
        self.broken = broken(rules)
        try:
            self._find, numbers = _patterns(rules)
        except DomainError as error:
            self.broken, rules = self.broken or error, ()
            self._find, numbers = _patterns(rules)
        ready = [
            _Ready(rule, tuple(_parts(rule.match)), found)
            for rule, found in zip(rules, numbers, strict=True)
        ]
        self._ready = sorted(ready, key=lambda it: -it.rule.priority)
        self.searches = any(it.patterns for it in ready)
        """Whether it looks for patterns."""
        self.asks_who = any(it.match.sender_locales or it.match.sender_fields for it in rules)
        """Whether it looks at what senders want to be known by."""
        self.classifiers = [it.classifier for it in rules if it.classifier is not None]

    def matching(self, said: Said) -> Iterator[Rule]:
        """The rules that match, the first to be tried first; patterns are looked for once."""
        found: AbstractSet[int] | None = None
        for ready in self._ready:
            if not all(holds(said) for holds in ready.holds):
                continue
            if ready.patterns:
                found = self._find(said.text) if found is None else found
                if found.isdisjoint(ready.patterns):
                    continue
            yield ready.rule

    def __len__(self) -> int:
        """How many rules it has."""
        return len(self._ready)


def _patterns(rules: Sequence[Rule]) -> tuple[Find, Sequence[AbstractSet[int]]]:
    """What finds all rules' patterns, and for each rule the numbers of its own."""
    each: list[str] = []
    fields: list[str] = []
    numbers: list[AbstractSet[int]] = []
    for at, rule in enumerate(rules):
        own = rule.match.text_patterns
        numbers.append(frozenset(range(len(each), len(each) + len(own))))
        each += own
        fields += (f"rules[{at}].match.text_patterns[{it}]" for it in range(len(own)))
    if not each:
        return lambda _text: frozenset(), numbers
    from antiphon_server.routing.patterns import Patterns  # 10 ms

    return Patterns(each, fields).found, numbers


def _parts(match: Match) -> Iterator[Holds]:
    """What of a message must hold; nothing of what the match doesn't say."""
    if match.types:
        yield lambda said: said.type in match.types
    if match.senders:
        yield lambda said: said.sender in match.senders
    if match.workspaces:
        yield lambda said: said.workspace_id in match.workspaces
    if match.metadata:
        yield lambda said: _has(said.metadata, match.metadata)
    if match.labels:
        yield lambda said: _has(said.labels, match.labels)
    if match.languages:
        ranges = tuple(it.lower() for it in match.languages)
        yield lambda said: any(in_range(said.language.lower(), it) for it in ranges)
    if match.sender_locales:
        preferred = tuple(it.lower() for it in match.sender_locales)
        yield lambda said: any(in_range(said.sender_locale.lower(), it) for it in preferred)
    if match.sender_fields:
        yield lambda said: _has(said.sender_fields, match.sender_fields)
    if match.media_types:
        yield lambda said: any(map(_one_of(match.media_types), said.media_types))


def _has(values: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(key in values and value in (ANY, values[key]) for key, value in wanted.items())


def in_range(language: str, wanted: str) -> bool:
    """RFC 4647, basic filtering, of lower-case tags: equal, or it begins with it and a hyphen."""
    return language == wanted or language.startswith(f"{wanted}-")


def _one_of(media_types: Sequence[str]) -> Callable[[str], bool]:
    kinds = tuple(it.removesuffix(ANY) for it in media_types if it.endswith("/*"))
    exact = frozenset(media_types)

    def holds(media_type: str) -> bool:
        bare = media_type.partition(";")[0].strip().lower()
        return bare in exact or bare.startswith(kinds)

    return holds
