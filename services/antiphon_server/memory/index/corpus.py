"""All documents that can be found: their columns, their terms, who is next to whom."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sys import getsizeof

import numpy as np

from antiphon_server.memory.index.analysis import Analyzer
from antiphon_server.memory.index.columns import ROW_BYTES, Columns
from antiphon_server.memory.index.encoder import Encoded
from antiphon_server.memory.index.model import MESSAGE, Document, DocumentId, PartitionKey
from antiphon_server.memory.index.names import Names
from antiphon_server.memory.index.postings import Moved, Postings
from antiphon_server.memory.index.reading import asking, flags
from antiphon_server.memory.index.vectors import ROW_BYTES as VECTORS_BYTES
from antiphon_server.memory.index.vectors import Vectors, telling_tokens
from antiphon_server.memory.index.words import words

_SESSION_GAP_US = 4 * 3600 * 1_000_000
_DOCUMENT_BYTES = 400  # of Python's own: the id, the tuple of terms, their places
_TERM_BYTES = 17  # a posting, with room to grow, and the document's reference to its term
_PLACE_BYTES = 100  # in a mapping
_PARTITION_BYTES = 1000  # of Python's own: its mappings, its counts
_FEW_DEAD = 1000
READ_CHARACTERS = 4000
"""Of a text, for vectors: more than the model reads of it."""


@dataclass(slots=True)
class Partition:
    """What is kept of one partition.

    Attributes:
        number: What the column of partitions has in its rows.
        slots: Of its documents, by their ids.
        last: The slot of the newest message, -1 if there is none.
        languages: How many documents are in each language.
        waiting: The texts that vectors are to be made of, oldest first.
        size_bytes: An estimate of the memory that it takes: of its documents, and of the terms
            that it has the first document of. So all memory is some partition's.
    """

    key: PartitionKey
    number: int
    slots: dict[DocumentId, int] = field(default_factory=dict)
    last: int = -1
    languages: Counter[str] = field(default_factory=Counter)
    waiting: dict[DocumentId, str] = field(default_factory=dict)
    size_bytes: int = 0

    @property
    def language(self) -> str:
        """The language that most documents are in; empty if none of them told."""
        return max(self.languages, key=lambda each: (self.languages[each], each), default="")


class Corpus:
    """The documents of all partitions. A slot is a document's number, ascending as they come."""

    def __init__(self, *, keeps_texts: bool) -> None:
        """`keeps_texts` says that texts wait until vectors are made of them."""
        self.analyzer = Analyzer()
        self.columns = Columns()
        self.postings = Postings()
        self.vectors = Vectors()
        self._keeps_texts = keeps_texts
        self.kinds, self.speakers, self.speaker_ids = Names(), Names(), Names()
        self.partitions: dict[PartitionKey, Partition] = {}
        self._by_number: dict[int, Partition] = {}
        self.size_bytes = 0
        """An estimate of the memory that all this takes."""
        self._document_bytes = _DOCUMENT_BYTES + ROW_BYTES + VECTORS_BYTES * keeps_texts
        self.ids: list[DocumentId] = []
        self._terms: list[tuple[str, ...]] = []
        self._languages: list[str] = []
        self.numbers = self._sessions = self._dead = 0

    def extend(self, key: PartitionKey, documents: Sequence[Document]) -> None:
        """Add documents behind those of the partition; a known id is replaced where it is."""
        part = self.partitions.get(key)
        if part is None:
            part = self.partitions[key] = Partition(key, self.numbers)
            self._by_number[self.numbers] = part
            self.numbers += 1
            self._charge(part, _PARTITION_BYTES)
        latest = {document.document_id: document for document in documents}
        known = [each for each in latest if each in part.slots]
        if known:
            self._clear(part, known)
        first = self.columns.grow(len(latest) - len(known))
        for document in latest.values():
            slot = part.slots.get(document.document_id, -1)
            if slot < 0:
                slot, first = first, first + 1
                self._append(part, slot, document)
            self._fill(part, slot, document)

    def remove(self, key: PartitionKey, document_ids: Collection[DocumentId]) -> None:
        """Remove documents with all that was known of them; unknown ids are passed over."""
        part = self.partitions.get(key)
        gone = [] if part is None else [each for each in set(document_ids) if each in part.slots]
        if part is None or not gone:
            return
        self._clear(part, gone)
        for each in gone:
            self._unlink(part, part.slots.pop(each))
        if not part.slots:
            self._charge(part, -_PARTITION_BYTES)
            del self.partitions[key], self._by_number[part.number]
        self._dead += len(gone)
        if self._dead > max(_FEW_DEAD, len(self.ids) // 2):
            self._compact()

    def drop(self, key: PartitionKey) -> None:
        """Remove a partition; one that is unknown is passed over."""
        if key in self.partitions:
            self.remove(key, list(self.partitions[key].slots))

    def put_vectors(self, part: Partition, document_id: DocumentId, encoded: Encoded) -> None:
        """Keep what a document means; it waits no longer."""
        slot = part.slots[document_id]
        telling = telling_tokens(encoded, self._languages[slot] or part.language)
        self._wait_no_more(part, document_id)
        self._charge(part, self.vectors.put(slot, encoded, telling))

    def unpack_vectors(self, part: Partition, packed: Mapping[DocumentId, bytes]) -> None:
        """Keep vectors that were packed, of documents that still have none."""
        for document_id in packed.keys() & part.waiting.keys():
            slot = part.slots[document_id]
            self._charge(part, self.vectors.unpack(slot, packed[document_id]))
            self._wait_no_more(part, document_id)

    def keep_no_texts(self) -> None:
        """Let go of all texts that wait, and keep no more: no vectors will be made."""
        if not self._keeps_texts:
            return
        self._keeps_texts = False
        self._document_bytes -= VECTORS_BYTES
        for part in self.partitions.values():
            self._charge(part, -VECTORS_BYTES * len(part.slots))
            for document_id in list(part.waiting):
                self._wait_no_more(part, document_id)

    def _charge(self, part: Partition, size_bytes: int) -> None:
        part.size_bytes += size_bytes
        self.size_bytes += size_bytes

    def _charge_terms(self, moved: Iterable[Moved]) -> None:
        """Let each term be charged to the partition whose document is the first with it."""
        partition = self.columns.partition
        for size, before, after in moved:
            if before >= 0:
                self._charge(self._by_number[int(partition[before])], -size)
            if after >= 0:
                self._charge(self._by_number[int(partition[after])], size)

    def _wait(self, part: Partition, document_id: DocumentId, text: str) -> None:
        part.waiting[document_id] = text[:READ_CHARACTERS]
        self._charge(part, _text_size(part.waiting[document_id]))

    def _wait_no_more(self, part: Partition, document_id: DocumentId) -> None:
        text = part.waiting.pop(document_id, None)
        if text is not None:
            self._charge(part, -_text_size(text))

    def _append(self, part: Partition, slot: int, document: Document) -> None:
        """Take the slot for a new document, behind the others of its partition."""
        columns = self.columns
        part.slots[document.document_id] = slot
        self.ids.append(document.document_id)
        self._terms.append(())
        self._languages.append("")
        columns.partition[slot] = part.number
        columns.session[slot] = columns.before[slot] = columns.after[slot] = -1
        if document.kind != MESSAGE:
            return
        before = columns.before[slot] = part.last
        if before >= 0:
            columns.after[before] = slot
        gap = abs(document.time_us - int(columns.time_us[before])) if before >= 0 else None
        self._sessions += gap is None or gap > _SESSION_GAP_US
        columns.session[slot] = self._sessions
        part.last = slot

    def _fill(self, part: Partition, slot: int, document: Document) -> None:
        """Write what the document says into its slot."""
        found = words(document.text)
        language = self.analyzer.language(found, "")
        terms = self.analyzer.terms(found, language or part.language)
        self._charge_terms(self.postings.add(slot, terms))
        self._terms[slot] = tuple(terms)
        self._languages[slot] = language
        if language:
            part.languages[language] += 1
        columns = self.columns
        columns.length[slot] = terms.total()
        columns.time_us[slot] = document.time_us
        columns.kind[slot] = self.kinds.use(document.kind)
        columns.speaker[slot] = self.speakers.use(document.speaker)
        columns.speaker_id[slot] = self.speaker_ids.use(document.speaker_id)
        columns.flags[slot] = flags(found)
        columns.asks[slot] = asking(document.text)
        self._charge(part, self._size(terms))
        if self._keeps_texts:
            self._wait(part, document.document_id, document.text)

    def _clear(self, part: Partition, document_ids: Sequence[DocumentId]) -> None:
        """Take what documents say out of everything but their slots, and forget words met."""
        self.analyzer.forget()
        slots = [part.slots[each] for each in document_ids]
        dead = np.zeros(len(self.columns), np.bool_)
        dead[slots] = True
        terms = {term for slot in slots for term in self._terms[slot]}
        self._charge_terms(self.postings.remove(dead, terms))
        for each in document_ids:
            self._wait_no_more(part, each)
        for slot in slots:
            self._charge(part, -self._size(self._terms[slot]) - self.vectors.clear(slot))
            self._terms[slot] = ()
            if language := self._languages[slot]:
                part.languages -= Counter((language,))
            self.kinds.release(int(self.columns.kind[slot]))
            self.speakers.release(int(self.columns.speaker[slot]))
            self.speaker_ids.release(int(self.columns.speaker_id[slot]))

    def _unlink(self, part: Partition, slot: int) -> None:
        """Let the neighbours of a slot be each other's, and mark it dead."""
        columns = self.columns
        before, after = int(columns.before[slot]), int(columns.after[slot])
        if before >= 0:
            columns.after[before] = after
        if after >= 0:
            columns.before[after] = before
        if part.last == slot:
            part.last = before
        columns.partition[slot] = -1
        columns.length[slot] = columns.asks[slot] = columns.time_us[slot] = columns.flags[slot] = 0
        self.ids[slot], self._languages[slot] = DocumentId(""), ""

    def _compact(self) -> None:
        """Number the documents anew, without gaps."""
        kept = self.columns.partition >= 0
        moved = np.cumsum(kept, dtype=np.int64) - 1
        self.columns.keep(kept, moved)
        self.postings.renumber(moved)
        left = np.flatnonzero(kept).tolist()
        self.vectors.keep(left)
        self.ids = [self.ids[slot] for slot in left]
        self._terms = [self._terms[slot] for slot in left]
        self._languages = [self._languages[slot] for slot in left]
        for part in self.partitions.values():
            part.slots = {each: int(moved[slot]) for each, slot in part.slots.items()}
            part.last = int(moved[part.last]) if part.last >= 0 else -1
        self._dead = 0

    def _size(self, terms: Collection[str]) -> int:
        return self._document_bytes + _TERM_BYTES * len(terms)


def _text_size(text: str) -> int:
    """What a text that waits takes, with its place."""
    return getsizeof(text) + _PLACE_BYTES
