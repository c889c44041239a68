"""How much each feature counts: learned on half of our own conversations, by

    uv run python -m tests.proofs.recall learn

See docs/decisions/0081-ranking.md.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("weights.json")

PARTS = {
    "words": "words",
    "length": "length",
    "before": "neighbours",
    "after": "neighbours",
    "speaker": "speaker",
    "session": "session",
    "asks": "question",
    "answers": "question",
    "dated": "date",
    "date": "date",
    "meaning": "meaning",
    "meaning_before": "meaning",
    "meaning_after": "meaning",
    "closest": "meaning",
}
"""The part of a hit's score that each feature belongs to."""


@cache
def weights() -> Mapping[str, Mapping[str, float]]:
    """Weights by feature, ``lexical`` alone and ``with_meaning``."""
    learned: dict[str, dict[str, float]] = json.loads(_FILE.read_text())
    return learned


def weights_at(meant: float) -> Mapping[str, float]:
    """Weights by feature where of this share of the candidates, 0 to 1, the meaning is known.

    In between they are mixed: with few vectors those for many would rank worse than words alone.
    """
    lexical, full = weights()["lexical"], weights()["with_meaning"]
    if meant <= 0:
        return lexical
    return {
        name: meant * weight + (1 - meant) * lexical.get(name, 0.0) for name, weight in full.items()
    }
