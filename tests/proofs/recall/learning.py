"""Learns how much each feature counts, from the conversations with odd numbers alone.

Weights are a softmax over the candidates of a question: they are moved so that the turns which
answer it get as much of it as can be, and are kept small (L2). The data decide nothing else: no
feature was kept for its gain on the other half.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon_server.memory.index import Index, Query, vectors, weights
from antiphon_server.memory.index.encoder import Encoder
from antiphon_server.memory.index.features import LEXICAL, MEANING
from antiphon_server.memory.index.model_files import PROJECTION
from antiphon_server.memory.index.vectors import WIDTH, telling_tokens
from tests.proofs.recall.conversations import Conversation, ours
from tests.proofs.recall.searching import loaded

_L2 = 0.02
_STEPS = 300
_RATE = 0.1

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """The candidates of a question: a row of features each, and which of them answer it."""

    values: Matrix
    answers: Matrix


def learn(encoder: Encoder) -> None:
    """Learn the projection of tokens, then both sets of weights, and write them to their files."""
    half = [each for each in ours() if not each.held_out]
    np.save(PROJECTION, _projection(half, encoder).astype(np.float16))
    vectors.projection.cache_clear()
    learned = {
        "lexical": fitted(list(examples(half, None, LEXICAL)), LEXICAL),
        "with_meaning": fitted(list(examples(half, encoder, LEXICAL + MEANING)), LEXICAL + MEANING),
    }
    weights._FILE.write_text(json.dumps(learned, indent=2) + "\n")


def examples(
    half: Sequence[Conversation], encoder: Encoder | None, names: Sequence[str]
) -> Iterator[Example]:
    """An example for each question of which a candidate is an answer."""
    for conversation in half:
        index = Index(encoder)
        seen = index.view([loaded(index, conversation)])
        turns = np.array([turn.id for turn in conversation.turns])
        for question in conversation.questions:
            found = index.candidates(Query(question.text), seen)
            answers = np.isin(turns[found.places], list(question.evidence)).astype(np.float64)
            if answers.any():
                values = np.stack([found.values[name] for name in names], axis=1)
                yield Example(values.astype(np.float64), answers / answers.sum())


def fitted(given: Sequence[Example], names: Sequence[str]) -> dict[str, float]:
    """The weights by their features, by Adam from zero: the same for the same examples."""
    weight = first = second = np.zeros(len(names))
    for step in range(1, _STEPS + 1):
        slope = _L2 * weight + np.mean([_slope(each, weight) for each in given], axis=0)
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope**2
        change = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
        weight = weight - _RATE * change
    return {name: round(float(each), 3) for name, each in zip(names, weight, strict=True)}


def _slope(example: Example, weight: Matrix) -> Matrix:
    scores = example.values @ weight
    shares = np.exp(scores - scores.max())
    slope: Matrix = example.values.T @ (shares / shares.sum() - example.answers)
    return slope


def _projection(half: Sequence[Conversation], encoder: Encoder) -> Matrix:
    """The directions that the tokens of turns differ most in, as columns, the widest first."""
    spread = np.zeros(())
    for conversation in half:
        for turn in conversation.turns:
            encoded = encoder.encode(turn.text)
            tokens = encoded.tokens[telling_tokens(encoded, "")].astype(np.float64)
            spread = spread + tokens.T @ tokens
    return np.asarray(np.linalg.eigh(spread)[1][:, ::-1][:, :WIDTH])
