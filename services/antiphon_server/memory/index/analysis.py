"""Makes terms of texts: words without stopwords, by their stems, in the language they are in."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

import snowballstemmer

from antiphon_server.memory.index.stopwords import STOPWORDS
from antiphon_server.memory.index.words import fold

LANGUAGES = tuple(STOPWORDS)
_CACHED = 50_000
_LONGEST = 64  # characters of a word that count: without spaces a text would be one term
# The language of stopwords that no other one has.
_TOLD = {
    word: language
    for language, own in STOPWORDS.items()
    for word in own.difference(*(STOPWORDS[other] for other in STOPWORDS if other != language))
}


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str:
        """The stem of a word in lower case."""


class Analyzer:
    """Terms of texts; it keeps the stems of words that it has met until it is told to forget.

    Not thread-safe.
    """

    def __init__(self) -> None:
        self._stemmers: dict[str, _Stemmer] = {
            language: snowballstemmer.stemmer(language) for language in LANGUAGES
        }
        self._stems: dict[tuple[str, str], Sequence[str]] = {}

    def forget(self) -> None:
        """Let go of all words that were met, since some of them may have to be gone."""
        self._stems.clear()

    def language(self, found: Iterable[str], otherwise: str) -> str:
        """The language that most of the words tell; `otherwise` if none does, or two do alike."""
        told = [_TOLD[word] for word in found if word in _TOLD]
        if not told:
            return otherwise
        (first, most), *others = Counter(told).most_common(2)
        return first if not others or others[0][1] < most else otherwise

    def terms(self, found: Iterable[str], language: str) -> Counter[str]:
        """What a document is found by: the stem of each word, counted, all without accents.

        A word with an accent also counts by the stem of what it is without, where that differs.
        """
        stopwords = STOPWORDS.get(language, frozenset())
        counted: Counter[str] = Counter()
        for word in found:
            if word not in stopwords:
                for term in self._variants(word, language):
                    counted[term] += 1
        return counted

    def variants(
        self, found: Iterable[str], language: str, others: Iterable[str]
    ) -> list[list[str]]:
        """For each different word of a query the terms that documents may have it by.

        The language is the query's; `others` are those that documents are in.
        """
        stopwords = STOPWORDS.get(language, frozenset())
        languages = (language, *others)
        return [
            sorted({term for each in languages for term in self._variants(word, each)})
            for word in dict.fromkeys(found)
            if word not in stopwords
        ]

    def _variants(self, word: str, language: str) -> Sequence[str]:
        """The word's stem, and that of what it is without accents, if another; none has accents."""
        word = word[:_LONGEST]
        kept = self._stems.get((language, word))
        if kept is None:
            kept = self._stemmed(word, language)
            if len(self._stems) >= _CACHED:
                self._stems.clear()
            self._stems[language, word] = kept
        return kept

    def _stemmed(self, word: str, language: str) -> Sequence[str]:
        stemmer = self._stemmers.get(language)
        if stemmer is None:
            return (fold(word),)
        stem = fold(stemmer.stemWord(word))
        if word.isascii() or (other := fold(stemmer.stemWord(fold(word)))) == stem:
            return (stem,)
        return (stem, other)
