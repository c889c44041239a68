"""What makes vectors of texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Encoded:
    """The meaning of a text.

    Attributes:
        whole: Of the text as a whole, float32 of length 1, as many numbers as the model gives.
        tokens: Of each of its tokens in their context, a row each, float32 of length 1.
        words: The word in lower case that each token is of or is a part of.
    """

    whole: NDArray[np.float32]
    tokens: NDArray[np.float32]
    words: Sequence[str]


class Encoder(Protocol):
    """A model that texts of like meaning get like vectors from."""

    def encode(self, text: str) -> Encoded:
        """The vectors of one text, the same whatever else was asked before. Takes milliseconds."""
