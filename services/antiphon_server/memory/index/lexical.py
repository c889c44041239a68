"""BM25 over the documents that may be read, as if there were no others."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from antiphon_server.memory.index.postings import Postings

_K1 = 1.2
_B = 0.3  # turns are short: that one is shorter than another says little


def bm25(
    postings: Postings,
    words: Sequence[Sequence[str]],
    places: NDArray[np.int64],
    lengths: NDArray[np.float32],
    others: Mapping[int, Sequence[Sequence[Sequence[str]]]] | None = None,
) -> NDArray[np.float32]:
    """The score of each readable document.

    Args:
        words: For each word of the query the terms that documents may have it by.
        others: By the word's number what counts as that word: words, as above, all of them there.
        places: By slot the document's place among the readable ones, -1 for one that is not.
        lengths: Of the readable documents, in words.
    """
    scores = np.zeros(len(lengths), np.float32)
    if not len(lengths):
        return scores
    norm = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0))
    for number, terms in enumerate(words):
        at, counts = _occurrences(postings, terms, places)
        for together in (others or {}).get(number, ()):
            at, counts = _united(at, counts, *_all_of(postings, together, places))
        if len(at):
            rarity = _rarity(len(at), len(lengths))
            scores[at] += (rarity * counts * (_K1 + 1) / (counts + norm[at])).astype(np.float32)
    return scores


def idf(
    postings: Postings, terms: Sequence[str], places: NDArray[np.int64], documents: int
) -> float:
    """How rare a word is among the readable documents, of which there are so many."""
    return _rarity(len(_occurrences(postings, terms, places)[0]), documents)


def _rarity(having: int, documents: int) -> float:
    return float(np.log1p((documents - having + 0.5) / (having + 0.5)))


def _occurrences(
    postings: Postings, terms: Sequence[str], places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Where among the readable documents any of the terms is, each place once, and how often."""
    at, counts = np.zeros(0, np.int64), np.zeros(0, np.float32)
    for term in terms:
        if (found := postings.get(term)) is None:
            continue
        of_term = places[found[0]]
        readable = of_term >= 0
        of_term, times = of_term[readable], found[1][readable].astype(np.float32)
        if not len(at):
            at, counts = of_term, times
        elif len(of_term):
            at, counts = _united(at, counts, of_term, times)
    return at, counts


def _all_of(
    postings: Postings, words: Sequence[Sequence[str]], places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Where all of the words are, and how often that of them that is there least."""
    at, counts = _occurrences(postings, words[0], places)
    for terms in words[1:]:
        more, times = _occurrences(postings, terms, places)
        at, here, there = np.intersect1d(at, more, return_indices=True)
        counts = np.minimum(counts[here], times[there])
    return at, counts


def _united(
    at: NDArray[np.int64],
    counts: NDArray[np.float32],
    other: NDArray[np.int64],
    others: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Both lists of places as one; where a place is in both, the larger count."""
    places, back = np.unique(np.concatenate((at, other)), return_inverse=True)
    most = np.zeros(len(places), np.float32)
    np.maximum.at(most, back, np.concatenate((counts, others)))
    return places, most
