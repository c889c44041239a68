"""The index of a server: what is in it, and what is found for a query."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from antiphon_server.memory.index.corpus import Corpus
from antiphon_server.memory.index.lexical import bm25
from antiphon_server.memory.index.model import Document, DocumentId, Hit, PartitionKey, Query
from antiphon_server.memory.index.words import words


class Index:
    """Documents in partitions, ranked over those of them that a search may read.

    There is one in a server. It is not thread-safe: its owner calls it from one thread.
    """

    def __init__(self) -> None:
        self._corpus = Corpus()

    def __contains__(self, key: PartitionKey) -> bool:
        return key in self._corpus.partitions

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory in use, in bytes."""
        return self._corpus.size_bytes

    def partition_bytes(self, key: PartitionKey) -> int:
        """An estimate of the memory that the partition uses, in bytes; 0 if it is unknown."""
        part = self._corpus.partitions.get(key)
        return part.size_bytes if part else 0

    def extend(self, key: PartitionKey, documents: Sequence[Document]) -> None:
        """Add documents, which are newer than those there; a known id is replaced."""
        self._corpus.extend(key, documents)

    def remove(self, key: PartitionKey, document_ids: Collection[DocumentId]) -> None:
        """Remove documents, and all that was known of them; unknown ids are passed over."""
        self._corpus.remove(key, document_ids)

    def drop(self, key: PartitionKey) -> None:
        """Remove a partition, and all that was known of it."""
        self._corpus.drop(key)

    def search(self, query: Query, readable: Collection[PartitionKey]) -> list[Hit]:
        """The best documents of the readable partitions, best first; others count for nothing."""
        corpus, columns = self._corpus, self._corpus.columns
        parts = {p.number: p for key in readable if (p := corpus.partitions.get(key))}
        mask = np.zeros(corpus.numbers + 1, np.bool_)
        mask[list(parts)] = True
        slots = np.flatnonzero(mask[columns.partition])
        places = np.full(len(columns), -1, np.int64)
        places[slots] = np.arange(len(slots))
        languages = {each for part in parts.values() for each in part.languages}
        found = words(query.text)
        language = corpus.analyzer.language(found, "")
        variants = corpus.analyzer.variants(found, language, languages)
        scores = bm25(corpus.postings, variants, places, columns.length[slots])
        scores[~self._wanted(query, slots)] = 0
        best = np.flatnonzero(scores)
        best = best[np.lexsort((-slots[best], -scores[best]))][: query.limit]
        return [
            Hit(
                parts[int(columns.partition[slots[each]])].key,
                corpus.ids[slots[each]],
                float(scores[each]),
                {"words": float(scores[each])},
            )
            for each in best
        ]

    def _wanted(self, query: Query, slots: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the slots the query's bounds let pass."""
        corpus, columns = self._corpus, self._corpus.columns
        times = columns.time_us[slots]
        wanted = times >= query.not_before_us
        if query.before_us:
            wanted &= times < query.before_us
        if query.kinds:
            wanted &= corpus.kinds.where(query.kinds.__contains__)[columns.kind[slots]]
        if query.speaker_ids:
            allowed = corpus.speaker_ids.where(query.speaker_ids.__contains__)
            wanted &= allowed[columns.speaker_id[slots]]
        return wanted
