"""Makes the rates that tokens are estimated by, out of real texts and real tokenizers.

``python -m tests.proofs.tokens.rates FOLDER FILE`` writes FILE by the catalogues below FOLDER
(texts.py). A tokenizer's rates are numbers of at least 0, one for each of ``NAMES``, whose sum over
what is counted in a text is nearest to its tokens, in shares of these; of messages and of windows.
"""

import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon_server.integration.models.character_counts import NAMES, character_counts
from tests.proofs.tokens.texts import SCRIPTS, code, keys, messages, sentences, talks, with_emoji
from tests.proofs.tokens.tokenizers import Counts, tokenizers

_MESSAGES = 300
_IN_A_WINDOW = 30
_STEPS = 3_000
_FREE = frozenset(
    ("english", "devanagari", "thai", "vietnamese", "ukrainian", "persian", "traditional")
)
"""What is counted besides, and may make a text shorter."""
_ROOT = Path(__file__).parents[3]

Numbers = NDArray[np.float64]


def main(folder: Path, file: Path) -> None:
    """Make the rates and write them."""
    texts = training(folder, random.Random(1))
    rates = {name: _rates(texts, count) for name, count in tokenizers().items()}
    rounded = {
        name: {it: round(float(rate), 4) for it, rate in zip(NAMES, found, strict=True)}
        for name, found in rates.items()
    }
    file.write_text(json.dumps(rounded, indent=1) + "\n")


def training(folder: Path, chance: random.Random) -> Mapping[str, Sequence[str]]:
    """The texts, by what they are."""
    catalogues = sentences(folder, odd=True)
    said = {
        name: messages(it, chance, _MESSAGES if name in SCRIPTS else _MESSAGES // 4)
        for name, it in catalogues.items()
    }
    said |= {f"{name}, talks": it for name, it in talks(odd=True).items()}
    said["code"] = code([_ROOT / "services"], chance, _MESSAGES)
    said["emoji"] = with_emoji(messages(catalogues["English"], chance, 100), chance)
    said["keys"] = keys(chance, 200)
    return said


def _rates(texts: Mapping[str, Sequence[str]], count: Counts) -> Numbers:
    rows: list[Numbers] = []
    tokens: list[float] = []
    for some in texts.values():
        counted = np.array([character_counts(it) for it in some], dtype=float)
        real = np.array([count(it) for it in some], dtype=float)
        rows += list(counted)
        tokens += list(real)
        for start in range(0, len(some) - _IN_A_WINDOW + 1, 10):
            part = slice(start, start + _IN_A_WINDOW)
            rows.append(counted[part].sum(axis=0))
            tokens.append(real[part].sum())
    return _least_squares(np.array(rows), np.array(tokens))


def _least_squares(rows: Numbers, tokens: Numbers) -> Numbers:
    """By coordinate descent: each rate in turn is the best there is beside the others."""
    weights = np.where(tokens > 500, 3, 1) / np.maximum(tokens, 20)
    wide, wanted = rows * weights[:, None], tokens * weights
    products, target = wide.T @ wide, wide.T @ wanted
    rates = np.zeros(len(NAMES))
    free = np.array([name in _FREE for name in NAMES])
    for _ in range(_STEPS):
        for at in np.flatnonzero(np.diag(products) > 0):
            rest = target[at] - products[at] @ rates + products[at, at] * rates[at]
            rates[at] = rest / products[at, at]
            if not free[at]:
                rates[at] = max(rates[at], 0.0)
    return rates


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
