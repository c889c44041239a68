"""Which features speak for which expert, and how much: BM25, where an expert is one document.

Robertson, Walker et al., Okapi at TREC-3 (1994). What all experts have says nothing; what one alone
has says most, and more if it is in several of its examples.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

_SATURATION, _LENGTH = 1.2, 0.5


class Document(NamedTuple):
    """A description or an example: whose it is, by number, and its features."""

    expert: int
    features: AbstractSet[str]


class Counts:
    """How many of each expert's documents have each feature."""

    def __init__(self, documents: Sequence[Document], experts: int) -> None:
        self._experts = experts
        self._rows: dict[str, Counter[int]] = {}
        sizes = [0] * experts
        for expert, features in documents:
            sizes[expert] += len(features)
            for feature in features:
                self._rows.setdefault(feature, Counter())[expert] += 1
        mean = sum(sizes) / max(1, experts) or 1
        self._slowness = [_SATURATION * (1 - _LENGTH + _LENGTH * size / mean) for size in sizes]

    def weights(self) -> Mapping[str, Sequence[tuple[int, float]]]:
        """For each feature how much it says for each expert that has it."""
        return {feature: self._weighed(row) for feature, row in self._rows.items()}

    def evidence_without(self, document: Document) -> Sequence[float]:
        """For each expert what the document says for it, as if it was not among the documents."""
        found = [0.0] * self._experts
        for feature in document.features:
            row = dict(self._rows[feature])
            row[document.expert] -= 1
            if not row[document.expert]:
                del row[document.expert]
            for expert, weight in self._weighed(row):
                found[expert] += weight
        return found

    def _weighed(self, row: Mapping[int, int]) -> Sequence[tuple[int, float]]:
        rarity = math.log1p((self._experts - len(row) + 0.5) / (len(row) + 0.5))
        return [
            (expert, rarity * count * (_SATURATION + 1) / (count + self._slowness[expert]))
            for expert, count in row.items()
        ]
