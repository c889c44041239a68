"""Chooses the sentences that matter: by words that are frequent here and rare elsewhere.

Names, numbers, decisions and what people say of themselves count for more, questions and what was
chosen already for less. No text is said twice, whoever has said it.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from antiphon_server.memory.index.analysis import Analyzer
from antiphon_server.memory.index.words import words
from antiphon_server.memory.summaries.covering import line_cost
from antiphon_server.memory.summaries.model import Line
from antiphon_server.memory.summaries.sentences import sentences

PEOPLE_TOKENS, ASSISTANTS_TOKENS = 200, 80
"""What the lines of a summary may take: what a person said is known from nowhere else."""
_COVERED = 0.35
"""What is left of a word's weight once a sentence that has it was chosen."""
_ALIKE = 0.6
"""Sentences that share so many of their words say the same."""
_LEAST_TERMS = 3
_LEVELLING, _LENGTH = 4.0, 0.65
"""Of long sentences only a few fit."""
_USER = "users/"
_NUMBER = re.compile(r"\d")
_NAME = re.compile(r"(?<=[\w,;:] )[A-ZÄÖÜÉÀÇÑÁÍÓÚ]\w{2,}")
_DECIDED = re.compile(
    r"\b(?:decid\w*|agreed?|let's|we(?:'ll| will)|must|never|always|deadline|promised?|"
    r"entschieden|beschlossen|vereinbart|einigen|wir (?:nehmen|machen|werden)|muss|müssen|frist|"
    r"décid\w*|convenu|d'accord|on (?:prend|va)|il faut|acord\w*|acuerdo|vamos a|hay que|"
    r"quedamos)\b",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"\b(?:i|i'm|my|we|our|ich|mein\w*|wir|unser\w*|je|j'ai|mon|ma|mes|nous|notre|yo|mi|mis|soy|"
    r"nosotros|nuestr\w)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Uttered:
    """A message, or a line that was chosen before: then it is one sentence, of a known weight."""

    line: Line
    whole: bool = False


@dataclass(frozen=True, slots=True)
class _Sentence:
    line: Line
    at: int
    terms: Counter[str]
    boost: float


@dataclass(frozen=True, slots=True)
class Read:
    """The sentences of so many messages."""

    sentences: Sequence[_Sentence]
    messages: int

    @property
    def terms(self) -> Collection[str]:
        """What they are weighed by."""
        return {term for it in self.sentences for term in it.terms}


class Extractor:
    """Reads what was said. Not thread-safe; ``forget`` lets go of all words that it has met."""

    def __init__(self) -> None:
        self._analyzer = Analyzer()

    def forget(self) -> None:
        """Some of them may have to be gone."""
        self._analyzer.forget()

    def read(self, said: Sequence[Uttered]) -> "Read":
        """What is chosen among."""
        return Read(list(self._split(said)), len(said))

    def _split(self, said: Iterable[Uttered]) -> Iterator[_Sentence]:
        language, at = "", 0
        for it in said:
            texts = [it.line.text] if it.whole else list(sentences(it.line.text))
            for place, text in enumerate(texts):
                found = words(text)
                language = self._analyzer.language(found, language)
                terms = self._analyzer.terms(found, language)
                at += 1
                boost = _boost(text, is_first=not place)
                yield _Sentence(replace(it.line, text=text), at, terms, boost)


def extract(read: Read, rarity: Mapping[str, float]) -> tuple[list[Line], list[Line]]:
    """What people said and what others did, each in order.

    ``rarity`` says how rare terms are in all of the conversation; of those that it doesn't have it
    is told by what was said here.
    """
    weights = _weights(read, rarity)
    people = [it for it in read.sentences if it.line.author.startswith(_USER)]
    others = [it for it in read.sentences if not it.line.author.startswith(_USER)]
    chosen = _chosen(people, weights, PEOPLE_TOKENS, [])
    beside = _chosen(others, weights, ASSISTANTS_TOKENS, chosen)
    return _in_order(chosen), _in_order(beside)


def _weights(read: Read, rarity: Mapping[str, float]) -> dict[str, float]:
    having = Counter(term for it in read.sentences for term in it.terms)
    return {
        term: (1 + math.log(times)) * (rarity.get(term) or math.log1p(read.messages / times))
        for term, times in having.items()
    }


def _boost(text: str, *, is_first: bool) -> float:
    boost = 1.0
    if is_first:
        boost *= 1.05
    if _NUMBER.search(text):
        boost *= 1.2
    if _NAME.search(text):
        boost *= 1.2
    if _DECIDED.search(text):
        boost *= 1.3
    if _SELF.search(text):
        boost *= 1.15
    if text.rstrip().endswith(("?", "？")):  # noqa: RUF001
        boost *= 0.5
    return boost


def _chosen(
    among: Sequence[_Sentence],
    weights: Mapping[str, float],
    budget: int,
    before: Sequence[_Sentence],
) -> list[_Sentence]:
    """The best, one after the other: each takes weight from what says the same."""
    left, waiting = dict(weights), [it for it in among if len(it.terms) >= _LEAST_TERMS]
    chosen, known = list[_Sentence](), list(before)
    for it in before:
        _cover(it, left)
    while waiting:
        scores = [_score(it, left) for it in waiting]
        best = max(range(len(waiting)), key=scores.__getitem__)
        it, score = waiting.pop(best), scores[best]
        if score <= 0 or line_cost(it.line) > budget or any(_alike(it, other) for other in known):
            continue
        budget -= line_cost(it.line)
        it = replace(it, line=replace(it.line, weight=round(score, 3)))
        chosen.append(it)
        known.append(it)
        _cover(it, left)
    return chosen


def _score(it: _Sentence, weights: Mapping[str, float]) -> float:
    total = sum(weights[term] for term in it.terms if term in weights)
    return it.boost * total / float((len(it.terms) + _LEVELLING) ** _LENGTH)


def _cover(it: _Sentence, weights: dict[str, float]) -> None:
    for term in it.terms:
        if term in weights:
            weights[term] *= _COVERED


def _alike(one: _Sentence, other: _Sentence) -> bool:
    shared = len(one.terms.keys() & other.terms.keys())
    return shared >= _ALIKE * min(len(one.terms), len(other.terms))


def _in_order(chosen: Iterable[_Sentence]) -> list[Line]:
    return [it.line for it in sorted(chosen, key=lambda it: it.at)]
