"""Chooses an expert by the words of descriptions and examples; it needs no weights and no network.

Record 65 says how it was chosen, and docs/proof.md how often it is right.
"""

import threading
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
    """Learns experts when it first meets them, and keeps some of what it learned.

    Threads may ask it at once: one learns, and who asks about experts that are known doesn't wait.
    """

    def __init__(self) -> None:
        self._learned = LruCache[_Key, "_Learned"](
            max_bytes=CACHED_BYTES, size_of=lambda _key, it: it.size
        )
        self._keeping, self._learning = threading.Lock(), threading.Lock()

    def __call__(self, text: str, experts: Sequence[Expert]) -> Sequence[Candidate]:
        """All experts, the best first, those that are as good by their names."""
        key = _key(experts)
        return (self._kept(key) or self._learn(key)).candidates(text)

    def knows(self, experts: Sequence[Expert]) -> bool:
        """See :meth:`Classifies.knows`."""
        return self._kept(_key(experts)) is not None

    def _kept(self, key: _Key) -> "_Learned | None":
        with self._keeping:
            return self._learned.get(key)

    def _learn(self, key: _Key) -> "_Learned":
        with self._learning:
            learned = self._kept(key) or _Learned(key)
            with self._keeping:
                self._learned.put(key, learned)
            return learned


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


def _key(experts: Sequence[Expert]) -> _Key:
    return tuple(sorted((it.handler, it.description, it.examples) for it in experts))


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
