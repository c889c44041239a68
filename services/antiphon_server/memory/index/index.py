"""The index of a server: what is in it, and what is found for a query."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from heapq import nlargest
from itertools import islice

import numpy as np

from antiphon_server.memory.index.corpus import Corpus
from antiphon_server.memory.index.encoder import Encoded, Encoder
from antiphon_server.memory.index.features import Candidates, Features
from antiphon_server.memory.index.lexical import idf
from antiphon_server.memory.index.model import (
    IMPORTANCE,
    Document,
    DocumentId,
    Hit,
    PartitionKey,
    Query,
)
from antiphon_server.memory.index.view import View, view
from antiphon_server.memory.index.weights import PARTS, weights_at

_SHRUNK_AT_ONCE = 32  # the fewer, the less is removed beyond what has to be


class Index:
    """Documents in partitions, ranked over those of them that a search may read.

    There is one in a server. It is not thread-safe: its owner calls it from one thread.
    """

    def __init__(self, encoder: Encoder | None = None, *, expects_encoder: bool = False) -> None:
        """With an encoder documents are found by what they mean, once they have vectors.

        One that is expected comes by `use` later: until then words alone count.
        """
        self._corpus = Corpus(keeps_texts=expects_encoder or encoder is not None)
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

    def shrink(
        self,
        key: PartitionKey,
        max_bytes: int,
        worth: Mapping[DocumentId, tuple[float, int]] | None = None,
    ) -> list[DocumentId]:
        """Remove documents of a partition until it takes no more than that; gives which.

        Those that are worth least go first, those of equal worth and those of none by their age.
        """
        if self.partition_bytes(key) <= max_bytes:
            return []
        part, none = self._corpus.partitions[key], (-1.0, 0)
        known, at = worth or {}, 0
        order = sorted(part.slots, key=lambda it: known.get(it, none))
        while part.size_bytes > max_bytes:
            few = max(1, min(len(order) - at, _SHRUNK_AT_ONCE * 16) // 16)
            self._corpus.remove(key, order[at : at + few])
            at += few
        return order[:at]

    def use(self, encoder: Encoder | None) -> None:
        """Find by what documents mean from now on, as was expected; with None never."""
        self._encoder = encoder
        if encoder is None:
            self._corpus.keep_no_texts()

    def waiting(self, key: PartitionKey, limit: int) -> list[tuple[DocumentId, str]]:
        """Up to so many documents that have no vectors, with what they say; the newest first."""
        part = self._corpus.partitions.get(key)
        return list(islice(reversed(part.waiting.items()), limit)) if part else []

    def is_waiting(self, key: PartitionKey) -> bool:
        """Whether documents of the partition have no vectors yet, and may get some."""
        part = self._corpus.partitions.get(key)
        return part is not None and bool(part.waiting)

    def put_vectors(
        self, key: PartitionKey, made: Sequence[tuple[DocumentId, str, Encoded]]
    ) -> dict[DocumentId, bytes]:
        """Keep vectors that were made of texts elsewhere; gives them packed for a store.

        What says something else by now, or is gone, gets none.
        """
        part = self._corpus.partitions.get(key)
        if part is None:
            return {}
        for document_id, text, encoded in made:
            if part.waiting.get(document_id) == text:
                self._corpus.put_vectors(part, document_id, encoded)
        return self.packed_vectors(key, [it for it, _, _ in made if it not in part.waiting])

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

    def unpack_vectors(
        self,
        key: PartitionKey,
        packed: Mapping[DocumentId, bytes],
        texts: Mapping[DocumentId, str] | None = None,
    ) -> None:
        """Take vectors out of a store for documents that have none, instead of encoding.

        They have to be of the text that the document has: of ``texts``, others are passed over.
        Raises ValueError if they are no vectors of this model.
        """
        part = self._corpus.partitions.get(key)
        if part is None or self._encoder is None:
            return
        if texts is not None:
            packed = {it: of for it, of in packed.items() if part.waiting.get(it) == texts.get(it)}
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

    def worthiest(
        self,
        query: Query,
        readable: Mapping[PartitionKey, Mapping[DocumentId, tuple[float, int]]],
    ) -> list[Hit]:
        """Within the bounds of a query the documents that are worth most, whatever it says.

        Each partition is given with what its documents are worth: how important they are, and
        their times. Of equally important ones the newest are first.
        """
        seen = view(self._corpus, readable)
        keys = {number: part.key for number, part in seen.parts.items()}
        found = list[tuple[tuple[float, int], PartitionKey, DocumentId]]()
        for slot in seen.slots[seen.wanted(query)].tolist():
            key, document_id = (
                keys[int(self._corpus.columns.partition[slot])],
                self._corpus.ids[slot],
            )
            if (worth := readable[key].get(document_id)) is not None:
                found.append((worth, key, document_id))
        return [
            Hit(key, document_id, worth[0], {IMPORTANCE: worth[0]})
            for worth, key, document_id in nlargest(query.limit, found)
        ]

    def view(self, readable: Collection[PartitionKey]) -> View:
        """What a search of these partitions sees."""
        return view(self._corpus, readable)

    def candidates(self, query: Query, seen: View) -> Candidates:
        """What is ranked for a query, with what speaks for it; there has to be a document."""
        has_vectors = bool(self._corpus.vectors.made(seen.slots).any())
        encoded = self._encoder.encode(query.text) if self._encoder and has_vectors else None
        return Features(seen, query).candidates(encoded)

    def _hits(self, seen: View, candidates: Candidates, limit: int) -> list[Hit]:
        columns, ids = self._corpus.columns, self._corpus.ids
        known = weights_at(candidates.meant)
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
