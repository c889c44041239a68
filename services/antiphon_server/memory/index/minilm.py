"""MiniLM-L6, of which the int8 weights fill 23 MB: what a text means in 384 numbers."""

from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from antiphon_server.memory.index.encoder import Encoded

_MOST_TOKENS = 256  # of a longer text the beginning counts


class MiniLm:
    """The model, in one thread, a text at a time.

    Texts of a batch would share the scale that its numbers are rounded by, so that one would
    depend on what it happens to be encoded with; and a batch is no faster.
    """

    def __init__(self, model: Path, tokenizer: Path) -> None:
        """Load the weights, which takes 0.1 s. Raises OSError if there is no such file."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_buffer(tokenizer.read_bytes())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MOST_TOKENS)

    def encode(self, text: str) -> Encoded:
        """The vectors of the text: 4 ms for 24 tokens on one core."""
        parsed = self._tokenizer.encode(text)
        ids = np.array([parsed.ids], np.int64)
        given = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        states = self._session.run(None, given)[0][0]
        spans = _word_spans(parsed.word_ids[1:-1], parsed.offsets[1:-1])
        return Encoded(
            _of_length_one(states.mean(axis=0)),
            _of_length_one(states[1:-1]),
            [text[first:last].lower() for first, last in spans],
        )


def _word_spans(
    word_ids: list[int | None], offsets: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """For each token where the word that it is a part of begins and ends in the text."""
    spans: dict[int | None, tuple[int, int]] = {}
    for word, (first, last) in zip(word_ids, offsets, strict=True):
        known = spans.get(word, (first, last))
        spans[word] = (min(known[0], first), max(known[1], last))
    return [spans[word] for word in word_ids]


def _of_length_one(vectors: np.typing.NDArray[np.float32]) -> np.typing.NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-9), np.float32)
