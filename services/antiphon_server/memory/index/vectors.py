"""The vectors of documents, a byte a number: of each as a whole, and of each of its words."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from antiphon_server.memory.index.encoder import Encoded
from antiphon_server.memory.index.model_files import PROJECTION
from antiphon_server.memory.index.stopwords import STOPWORDS

NUMBERS = 384
"""The numbers of a document as a whole."""
ROW_BYTES = NUMBERS + 12
"""What a slot takes, whether its vectors are made or not."""
_OBJECT_BYTES = 33  # of Python's own, for the tokens of a document
WIDTH = 64
"""The numbers kept of a token: the directions in which tokens differ most."""
_MOST_TOKENS = 64  # of a document
_CHUNK = 1024  # rows that are made floats at once: they stay in the processor's cache
_FIRST = 256


@cache
def projection() -> NDArray[np.float32]:
    """Makes a token's vector WIDTH numbers of it; learned with the weights: docs/decisions/0081."""
    return np.asarray(np.load(PROJECTION), np.float32)


class Vectors:
    """By slot the vectors of documents, as far as they are made."""

    def __init__(self) -> None:
        self._rows: NDArray[np.int8] = np.zeros((0, NUMBERS), np.int8)
        self._inverse: NDArray[np.float32] = np.zeros(0, np.float32)  # 1 / length; 0: none made
        self._tokens: list[bytes] = []

    def __len__(self) -> int:
        return len(self._tokens)

    def put(self, slot: int, encoded: Encoded, telling: Sequence[int]) -> int:
        """Keep a document's vectors, and of its tokens those that tell something.

        Gives how many bytes that takes beside the slot's own.
        """
        tokens = _bytes(encoded.tokens[list(telling[:_MOST_TOKENS])] @ projection()).tobytes()
        self._set(slot, _bytes(encoded.whole), tokens)
        return _OBJECT_BYTES + len(tokens)

    def packed(self, slot: int) -> bytes:
        """A document's vectors as bytes for a store; empty if there are none."""
        if slot >= len(self) or not self._inverse[slot]:
            return b""
        row: bytes = self._rows[slot].tobytes()
        return row + self._tokens[slot]

    def unpack(self, slot: int, packed: bytes) -> int:
        """Keep vectors that were packed; gives how many bytes that takes beside the slot's own.

        Raises ValueError if they can't be those of this model.
        """
        if len(packed) < NUMBERS or (len(packed) - NUMBERS) % WIDTH:
            raise ValueError(f"{len(packed)} bytes are no packed vectors")
        self._set(slot, np.frombuffer(packed[:NUMBERS], np.int8), packed[NUMBERS:])
        return _OBJECT_BYTES + len(packed) - NUMBERS

    def clear(self, slot: int) -> int:
        """Forget a document's vectors; gives how many bytes that frees, beside the slot's own."""
        if slot >= len(self) or not self._inverse[slot]:
            return 0
        size = _OBJECT_BYTES + len(self._tokens[slot])
        self._rows[slot], self._inverse[slot], self._tokens[slot] = 0, 0, b""
        return size

    def _set(self, slot: int, row: NDArray[np.int8], tokens: bytes) -> None:
        self._grow(slot + 1)
        self._rows[slot] = row
        self._inverse[slot] = 1 / max(float(np.linalg.norm(row.astype(np.float32))), 1e-9)
        self._tokens[slot] = tokens

    def _grow(self, slots: int) -> None:
        """Have as many slots at least."""
        count = len(self)
        if slots > len(self._inverse):
            room = max(slots, count * 5 // 4, _FIRST)
            rows, inverse = np.zeros((room, NUMBERS), np.int8), np.zeros(room, np.float32)
            rows[:count], inverse[:count] = self._rows[:count], self._inverse[:count]
            self._rows, self._inverse = rows, inverse
        self._tokens += [b""] * (slots - count)

    def keep(self, slots: Sequence[int]) -> None:
        """Keep these slots alone, under new numbers from 0."""
        known = [slot for slot in slots if slot < len(self)]
        self._rows, self._inverse = self._rows[known], self._inverse[known]
        self._tokens = [self._tokens[slot] for slot in known]

    def made(self, slots: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For which of the slots there are vectors."""
        found = np.zeros(len(slots), np.bool_)
        known = slots < len(self)
        found[known] = self._inverse[slots[known]] > 0
        return found

    def alike(self, slots: NDArray[np.int64], whole: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of each slot's vector with this one; 0 where there is none."""
        cosines = np.zeros(len(slots), np.float32)
        known = int(np.searchsorted(slots, len(self)))
        for first in range(0, known, _CHUNK):
            chunk = slots[first : min(first + _CHUNK, known)]
            rows = self._rows[chunk].astype(np.float32)
            cosines[first : first + len(chunk)] = (rows @ whole) * self._inverse[chunk]
        return cosines

    def closest(
        self, slots: NDArray[np.int64], tokens: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """How near each slot's tokens come to these: for each of these the nearest, weighted.

        Late interaction: O. Khattab, M. Zaharia, "ColBERT", SIGIR 2020. Slots have to be made.
        """
        scores = np.zeros(len(slots), np.float32)
        held = [self._tokens[slot] for slot in slots.tolist()]
        counts = np.array([len(each) // WIDTH for each in held], np.int64)
        if not weights.sum() or not counts.sum():
            return scores
        rows = np.frombuffer(b"".join(held), np.int8).reshape(-1, WIDTH).astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        near = rows @ _projected(tokens).T
        filled = np.flatnonzero(counts)
        starts = np.cumsum(counts)[filled] - counts[filled]
        scores[filled] = np.maximum.reduceat(near, starts, axis=0) @ (weights / weights.sum())
        return scores


def telling_tokens(encoded: Encoded, language: str) -> list[int]:
    """The tokens that are of words, and not of stopwords."""
    stopwords = STOPWORDS.get(language, frozenset())
    return [
        at
        for at, word in enumerate(encoded.words)
        if word not in stopwords and any(character.isalnum() for character in word)
    ]


def _projected(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    narrow = tokens @ projection()
    norms = np.linalg.norm(narrow, axis=1, keepdims=True)
    return np.asarray(narrow / np.maximum(norms, 1e-9), np.float32)


def _bytes(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """The vectors with their largest number as 127; only directions count."""
    if not vectors.size:
        return np.zeros(vectors.shape, np.int8)
    largest = np.maximum(np.abs(vectors).max(axis=-1, keepdims=True), 1e-9)
    return np.asarray(np.rint(vectors / largest * 127), np.int8)
