"""An encoder whose vectors are drawn by the words of a text: the same word, the same vector."""

import zlib

import numpy as np
from numpy.typing import NDArray

from antiphon_server.memory.index.encoder import Encoded
from antiphon_server.memory.index.vectors import NUMBERS
from antiphon_server.memory.index.words import words


class FakeEncoder:
    """Texts are as alike as they share words."""

    def encode(self, text: str) -> Encoded:
        """The mean of its words' vectors, and these."""
        found = words(text) or ["."]
        rows = np.stack([_drawn(word) for word in found])
        whole = rows.mean(axis=0)
        return Encoded(whole / np.linalg.norm(whole), rows, found)


def _drawn(word: str) -> NDArray[np.float32]:
    generator = np.random.default_rng(zlib.crc32(word.encode()))
    vector = generator.standard_normal(NUMBERS).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)
