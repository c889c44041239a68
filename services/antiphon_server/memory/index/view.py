"""The part of the corpus that one search may read, as if there were no other."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon_server.memory.index.corpus import Corpus, Partition
from antiphon_server.memory.index.model import PartitionKey, Query


@dataclass(frozen=True, slots=True)
class View:
    """What is readable.

    Attributes:
        slots: Of the documents, ascending; one's place is its position here.
        places: By slot its place, -1 for one that is not readable; the last stands for no slot.
        parts: The partitions by their numbers.
    """

    corpus: Corpus
    slots: NDArray[np.int64]
    places: NDArray[np.int64]
    parts: dict[int, Partition]

    def neighbours(self, column: NDArray[np.int32], at: NDArray[np.int64]) -> NDArray[np.int64]:
        """The places of the neighbours of those at these places, -1 for none."""
        return self.places[column[self.slots[at]]]

    @property
    def languages(self) -> list[str]:
        """Those that documents are in, the commonest first."""
        counts: dict[str, int] = {}
        for part in self.parts.values():
            for language, count in part.languages.items():
                counts[language] = counts.get(language, 0) + count
        return sorted(counts, key=lambda each: (-counts[each], each))

    def wanted(self, query: Query) -> NDArray[np.bool_]:
        """Which places the bounds of the query let pass."""
        corpus, columns = self.corpus, self.corpus.columns
        wanted = np.ones(len(self.slots), np.bool_)
        if query.not_before_us:
            wanted &= columns.time_us[self.slots] >= query.not_before_us
        if query.before_us:
            wanted &= columns.time_us[self.slots] < query.before_us
        if query.kinds:
            wanted &= corpus.kinds.where(query.kinds.__contains__)[columns.kind[self.slots]]
        if query.speaker_ids:
            allowed = corpus.speaker_ids.where(query.speaker_ids.__contains__)
            wanted &= allowed[columns.speaker_id[self.slots]]
        return wanted


def view(corpus: Corpus, readable: Collection[PartitionKey]) -> View:
    """What these partitions have; unknown ones have nothing."""
    parts = {part.number: part for key in readable if (part := corpus.partitions.get(key))}
    mask = np.zeros(corpus.numbers + 1, np.bool_)  # the last stands for no partition
    mask[list(parts)] = True
    slots = np.flatnonzero(mask[corpus.columns.partition])
    places = np.full(len(corpus.columns) + 1, -1, np.int64)
    places[slots] = np.arange(len(slots))
    return View(corpus, slots, places, parts)
