"""Chooses an expert by the words of descriptions and examples; it needs no weights and no network.

Record 65 says how it was chosen, and docs/proof.md how often it is right.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from antiphon_server.routing.calibrating import Calibration
from antiphon_server.routing.counting import Counts, Document
from antiphon_server.routing.model import Candidate, Expert
from antiphon_server.routing.words import features
from antiphon_server.runtime.cache.lru import LruCache

MOST_CHARACTERS = 64 * 1024
"""Of all experts together, each with an equal share: so it takes a moment to learn them."""
CACHED_BYTES = 64 * 1024 * 1024
_LOOKS = 200
_FEATURE_BYTES = 300
_Key: TypeAlias = tuple[tuple[str, str, tuple[str, ...]], ...]


class WordClassifier:
    """Learns experts when it first meets them, and keeps some of what it learned."""

    def __init__(self) -> None:
        self._learned = LruCache[_Key, "_Learned"](
            max_bytes=CACHED_BYTES, size_of=lambda _key, it: it.size
        )

    def __call__(self, text: str, experts: Sequence[Expert]) -> Sequence[Candidate]:
        """All experts, the best first, those that are as good by their names."""
        key = tuple(sorted((it.handler, it.description, it.examples) for it in experts))
        learned = self._learned.get(key)
        if learned is None:
            learned = _Learned(key)
            self._learned.put(key, learned)
        return learned.candidates(text)


class _Learned:
    """What is known of some experts."""

    def __init__(self, experts: _Key) -> None:
        self._names = [name for name, _, _ in experts]
        documents = list(_documents(experts))
        counts = Counts(documents, len(experts))
        step = -(-len(documents) // _LOOKS) or 1
        self._calibration = Calibration(
            [(it.expert, counts.evidence_without(it)) for it in documents[::step]]
        )
        self._weights = counts.weights()
        self.size = len(self._weights) * _FEATURE_BYTES
        """Bytes, about."""

    def candidates(self, text: str) -> Sequence[Candidate]:
        evidence = [0.0] * len(self._names)
        for feature in features(text):
            for expert, weight in self._weights.get(feature, ()):
                evidence[expert] += weight
        scores = self._calibration.scores(evidence)
        found = map(Candidate, self._names, scores)
        return sorted(found, key=lambda it: (-it.score, it.handler))


def _documents(experts: _Key) -> Iterator[Document]:
    """Descriptions and examples, as many as each expert's share of the characters allows."""
    for expert, (_, description, examples) in enumerate(experts):
        left = MOST_CHARACTERS // len(experts)
        for text in (description, *examples):
            found = features(text[:left])
            left -= len(text)
            if found:
                yield Document(expert, found)
            if left <= 0:
                break
