"""What speaks for each candidate of a search, in numbers that weights are given to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon_server.memory.index.asking import asks_when
from antiphon_server.memory.index.columns import DATED
from antiphon_server.memory.index.dates import periods
from antiphon_server.memory.index.encoder import Encoded
from antiphon_server.memory.index.lexical import bm25, idf
from antiphon_server.memory.index.model import Query
from antiphon_server.memory.index.stopwords import STOPWORDS
from antiphon_server.memory.index.vectors import telling_tokens
from antiphon_server.memory.index.view import View
from antiphon_server.memory.index.words import words

Floats = NDArray[np.float32]

_POOL = 500  # candidates; about a whole long conversation, so that weights learned there hold
_NEIGHBOURS = 0.3  # the share of their scores in what candidates are chosen by
_TOP = 3  # of a session

LEXICAL = (
    "words", "before", "after", "speaker", "session", "asks", "answers", "dated", "date", "length",
)  # fmt: skip
MEANING = ("meaning", "meaning_before", "meaning_after", "closest")
_SCORES = ("words", "before", "after", "session", "answers")  # compared by the spread of words
_EXPECTED = 0.6  # of the spread of words: what meaning is guessed by while there is no vector
_STANDS_OUT = 2.0  # standard deviations above the mean: what is found by its meaning alone
# Of what has nothing to do with a query, in English: until there are many documents it counts, too.
_UNLIKE, _UNLIKE_SPREAD, _UNLIKE_COUNT = 0.1, 0.1, 20
_LEAST_WORDS = 3  # of a query that finds by meaning alone: names, numbers and ids mean little
_MOST_WORDS = 20.0  # from here on a text is not longer: it would outweigh words


@dataclass(frozen=True, slots=True)
class Candidates:
    """The documents that a search ranks.

    Attributes:
        places: In the view.
        found: Whether something of the query is there: without vectors others are no hits.
        values: By the feature's name a number for each of them.
        meant: The share of them whose meaning is known, 0 to 1.
    """

    places: NDArray[np.int64]
    found: NDArray[np.bool_]
    values: Mapping[str, Floats]
    meant: float = 0.0


class Features:
    """The features of one query over what it may read."""

    def __init__(self, view: View, query: Query) -> None:
        self._view, self._query = view, query
        self._words = words(query.text)
        self._languages = view.languages
        analyzer = view.corpus.analyzer
        usual = self._languages[0] if self._languages else ""
        self._language = analyzer.language(self._words, usual)
        variants = analyzer.variants(self._words, self._language, self._languages)
        lengths = view.corpus.columns.length[view.slots]
        others = self._other_names(variants)
        self._scores = bm25(view.corpus.postings, variants, view.places, lengths, others)

    def candidates(self, encoded: Encoded | None) -> Candidates:
        """The most promising documents with what speaks for each; `encoded` is the query."""
        vectors = self._view.corpus.vectors
        alike = None if encoded is None else vectors.alike(self._view.slots, encoded.whole)
        at = self._pool(alike)
        values = self._lexical(at)
        beside = values["before"] + values["after"] if self._query.by_neighbours else 0
        found = values["words"] + beside > 0
        made = vectors.made(self._view.slots[at])
        if encoded is not None and alike is not None and made.any():
            meant = self._meaning(at, alike, made, encoded)
            guessed = _EXPECTED * _standardized(values["words"], ~made, values["words"])
            values |= meant | {name: meant[name] + guessed for name in ("meaning", "closest")}
            found |= made & (alike[at] >= self._least_alike(alike[at[made]]))
        spread = float(values["words"].std()) if len(at) else 0.0
        for name in _SCORES:
            values[name] = values[name] / spread if spread > 0 else values[name]
        return Candidates(at, found, values, float(made.mean()) if "closest" in values else 0.0)

    def _least_alike(self, alike: Floats) -> float:
        """From which cosine on one of those that are this much alike is found without words."""
        least = self._query.least_alike
        if least <= -1:
            return least
        if len(self._words) < _LEAST_WORDS:
            return math.inf
        count = len(alike) + _UNLIKE_COUNT
        mean = (float(alike.sum()) + _UNLIKE * _UNLIKE_COUNT) / count
        squares = float(((alike - mean) ** 2).sum()) + _UNLIKE_SPREAD**2 * _UNLIKE_COUNT
        return max(least, mean + _STANDS_OUT * float(np.sqrt(squares / count)))

    def _other_names(
        self, variants: Sequence[Sequence[str]]
    ) -> Mapping[int, Sequence[Sequence[Sequence[str]]]]:
        """By the number of a word that is of a name what else that is called."""
        others: dict[int, list[Sequence[Sequence[str]]]] = {}
        for asked, names in self._query.other_names:
            called = [it for name in names if (it := self._variants(name))]
            for word in self._variants(asked):
                if word in variants:
                    others.setdefault(variants.index(word), []).extend(called)
        return others

    def _variants(self, of: Sequence[str]) -> list[list[str]]:
        return self._view.corpus.analyzer.variants(of, self._language, self._languages)

    def _pool(self, alike: Floats | None) -> NDArray[np.int64]:
        """The best by words and their neighbourhood, and by meaning where that is known."""
        wanted = self._view.wanted(self._query)
        by_words = self._scores.copy()
        self._add_neighbours(by_words, self._scores, np.flatnonzero(self._scores))
        if alike is None:
            return _best(by_words, wanted, _POOL)
        halves = [_best(each, wanted, _POOL // 2) for each in (by_words, alike)]
        left = wanted.copy()
        left[np.concatenate(halves)] = False
        both = np.unique(np.concatenate(halves))
        more = _best(alike, left, _POOL - len(both))
        return np.sort(np.concatenate((both, more)))

    def _add_neighbours(self, to: Floats, scores: Floats, at: NDArray[np.int64]) -> None:
        """Add to a document's score a share of its neighbours', of which those `at` have one."""
        columns = self._view.corpus.columns
        for column in (columns.before, columns.after):
            beside = self._view.neighbours(column, at)
            near = beside >= 0
            to[beside[near]] += _NEIGHBOURS * scores[at[near]]  # nobody is beside two on one side

    def _lexical(self, at: NDArray[np.int64]) -> dict[str, Floats]:
        columns, slots = self._view.corpus.columns, self._view.slots[at]
        scores = np.append(self._scores, np.float32(0))  # the last is no neighbour's
        before = self._view.neighbours(columns.before, at)
        after = self._view.neighbours(columns.after, at)
        by_words = scores[at] + _NEIGHBOURS * (scores[before] + scores[after])
        asked = np.where(before >= 0, columns.asks[self._view.slots[before]], 0)
        return {
            "words": scores[at],
            "before": scores[before],
            "after": scores[after],
            "speaker": self._speaker(slots),
            "session": _session(columns.session[slots], by_words),
            "asks": columns.asks[slots],
            "answers": (asked * scores[before]).astype(np.float32),
            "dated": self._dated(slots),
            "date": self._date(columns.time_us[slots]),
            "length": np.log1p(np.minimum(columns.length[slots], _MOST_WORDS)),
        }

    def _speaker(self, slots: NDArray[np.int64]) -> Floats:
        """For a document of somebody whom the query names 1, shared among all whom it names."""
        if not self._query.by_name:  # by what is found first a name could be guessed
            return np.zeros(len(slots), np.float32)
        corpus = self._view.corpus
        asked = set(self._words) - STOPWORDS.get(self._language, frozenset())
        named = corpus.speakers.where(lambda name: not asked.isdisjoint(words(name)))
        speakers = corpus.columns.speaker[slots]
        count = len(np.unique(speakers[named[speakers]]))
        return (named[speakers] / max(count, 1)).astype(np.float32)

    def _dated(self, slots: NDArray[np.int64]) -> Floats:
        flags = self._view.corpus.columns.flags[slots]
        return ((flags & DATED > 0) & asks_when(self._query.text)).astype(np.float32)

    def _date(self, times_us: NDArray[np.int64]) -> Floats:
        near = np.zeros(len(times_us), np.float32)
        for period in periods(self._query.text, self._query.now_us):
            near = np.maximum(near, period.nearness(times_us))
        return near

    def _meaning(
        self,
        at: NDArray[np.int64],
        alike: Floats,
        made: NDArray[np.bool_],
        encoded: Encoded,
    ) -> dict[str, Floats]:
        columns, vectors = self._view.corpus.columns, self._view.corpus.vectors
        closest = np.zeros(len(at), np.float32)
        telling = telling_tokens(encoded, self._language)
        weights = self._token_weights([encoded.words[each] for each in telling])
        slots = self._view.slots[at[made]]
        closest[made] = vectors.closest(slots, encoded.tokens[telling], weights)
        near = alike[at[made]]
        values = {
            "meaning": _standardized(alike[at], made, near),
            "closest": _standardized(closest, made, closest[made]),
        }
        for column, name in ((columns.before, "before"), (columns.after, "after")):
            beside = self._view.neighbours(column, at)
            there = (beside >= 0) & vectors.made(self._view.slots[beside])
            values[f"meaning_{name}"] = _standardized(alike[beside], there, near)
        return values

    def _token_weights(self, of: list[str]) -> Floats:
        """How rare the word of each token is among what may be read."""
        view, analyzer = self._view, self._view.corpus.analyzer
        variants = [analyzer.variants([each], self._language, self._languages) for each in of]
        count = len(view.slots)
        known = [idf(view.corpus.postings, each[0] if each else [], view.places, count)
                 for each in variants]  # fmt: skip
        return np.array(known, np.float32)


def _best(scores: Floats, wanted: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """The places of the highest scores among the wanted; of equal ones the newer."""
    at = np.flatnonzero(wanted)
    if count <= 0:
        return at[:0]
    if len(at) > count:
        least = np.partition(scores[at], len(at) - count)[len(at) - count]
        above, equal = at[scores[at] > least], at[scores[at] == least]
        at = np.sort(np.concatenate((above, equal[len(equal) - (count - len(above)) :])))
    return at


def _session(sessions: NDArray[np.int32], scores: Floats) -> Floats:
    """The mean of the best scores in each one's session; what is of no session stands alone."""
    own = np.where(sessions < 0, -1 - np.arange(len(sessions)), sessions)
    order = np.lexsort((-scores, own))
    _, first, back = np.unique(own[order], return_index=True, return_inverse=True)
    best = np.where(np.arange(len(order)) - first[back] < _TOP, scores[order], 0)
    means = np.bincount(back, best) / _TOP
    result = np.zeros(len(scores), np.float32)
    result[order] = means[back]
    return result


def _standardized(values: Floats, there: NDArray[np.bool_], like: Floats) -> Floats:
    """By how many standard deviations of `like` each is above its mean; 0 for what is not there."""
    spread = float(like.std()) if len(like) else 0.0
    result = np.zeros_like(values)
    if spread > 1e-6:
        result[there] = (values[there] - like.mean()) / spread
    return result
