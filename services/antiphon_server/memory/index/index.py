"""The index of a server: what is in it, and what is found for a query."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import islice

import numpy as np

from antiphon_server.memory.index.corpus import Corpus
from antiphon_server.memory.index.encoder import Encoder
from antiphon_server.memory.index.features import Candidates, Features
from antiphon_server.memory.index.lexical import idf
from antiphon_server.memory.index.model import Document, DocumentId, Hit, PartitionKey, Query
from antiphon_server.memory.index.view import View, view
from antiphon_server.memory.index.weights import PARTS, weights


class Index:
    """Documents in partitions, ranked over those of them that a search may read.

    There is one in a server. It is not thread-safe: its owner calls it from one thread.
    """

    def __init__(self, encoder: Encoder | None = None) -> None:
        """With an encoder documents are found by what they mean, once `encode` was called."""
        self._corpus = Corpus(keeps_texts=encoder is not None)
        self._encoder = encoder

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

    def encode(self, key: PartitionKey, limit: int) -> int:
        """Make vectors of up to `limit` documents that have none; gives of how many.

        It takes the encoder's time for each. Without an encoder there are none to make.
        """
        part = self._corpus.partitions.get(key)
        if part is None or self._encoder is None:
            return 0
        chosen = list(islice(part.waiting.items(), limit))
        for document_id, text in chosen:
            self._corpus.put_vectors(part, document_id, self._encoder.encode(text))
        return len(chosen)

    def packed_vectors(
        self, key: PartitionKey, document_ids: Collection[DocumentId]
    ) -> dict[DocumentId, bytes]:
        """The vectors of these documents for a store, of those that have some: 1 KB each."""
        part = self._corpus.partitions.get(key)
        known = [each for each in document_ids if part and each in part.slots]
        packed = {each: self._corpus.vectors.packed(part.slots[each]) for each in known if part}
        return {each: held for each, held in packed.items() if held}

    def unpack_vectors(self, key: PartitionKey, packed: Mapping[DocumentId, bytes]) -> None:
        """Take vectors out of a store for documents that have none, instead of encoding.

        They have to be of the text that the document has. Raises ValueError if they are no
        vectors of this model.
        """
        part = self._corpus.partitions.get(key)
        if part is not None and self._encoder is not None:
            self._corpus.unpack_vectors(part, packed)

    def rarities(self, key: PartitionKey, terms: Collection[str]) -> dict[str, float]:
        """How rare each term is among the documents of a partition; nothing of an unknown one."""
        if key not in self:
            return {}
        seen, postings = view(self._corpus, [key]), self._corpus.postings
        return {each: idf(postings, [each], seen.places, len(seen.slots)) for each in terms}

    def search(self, query: Query, readable: Collection[PartitionKey]) -> list[Hit]:
        """The best documents of the readable partitions, best first; others count for nothing."""
        seen = view(self._corpus, readable)
        if not len(seen.slots) or not query.text.strip():
            return []
        return self._hits(seen, self.candidates(query, seen), query.limit)

    def view(self, readable: Collection[PartitionKey]) -> View:
        """What a search of these partitions sees."""
        return view(self._corpus, readable)

    def candidates(self, query: Query, seen: View) -> Candidates:
        """What is ranked for a query, with what speaks for it; there has to be a document."""
        encoded = self._encoder.encode(query.text) if self._encoder else None
        return Features(seen, query).candidates(encoded)

    def _hits(self, seen: View, candidates: Candidates, limit: int) -> list[Hit]:
        columns, ids = self._corpus.columns, self._corpus.ids
        known = weights()["with_meaning" if "closest" in candidates.values else "lexical"]
        weighted = {
            name: known[name] * values
            for name, values in candidates.values.items()
            if name in known
        }
        scores = np.sum(list(weighted.values()), axis=0)
        slots = seen.slots[candidates.places]
        order = np.lexsort((slots, -columns.time_us[slots], -scores))
        best = order[candidates.found[order]][:limit]
        hits = []
        for at in best.tolist():
            parts: Counter[str] = Counter()
            for name, values in weighted.items():
                parts[PARTS[name]] += float(values[at])  # type: ignore[assignment]
            slot = int(slots[at])
            key = seen.parts[int(columns.partition[slot])].key
            hits.append(Hit(key, ids[slot], float(scores[at]), dict(parts)))
        return hits
