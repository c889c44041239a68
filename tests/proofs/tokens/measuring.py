"""How far estimates are from what tokenizers count, on texts that no rates were made of."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from antiphon_server.integration.models.adapters.estimates import Estimate
from tests.proofs.tokens.texts import SCRIPTS, code, messages, sentences, talks, with_emoji
from tests.proofs.tokens.tokenizers import Counts

_MESSAGES, _WINDOWS, _TOKENS = 300, 300, 2_000


@dataclass(frozen=True, slots=True)
class Error:
    """Errors as shares of what is counted: of windows, and of single messages, at p99.

    ``under`` is the largest by which a window has more tokens than estimated; ``bias`` the mean.
    """

    bias: float
    windows: float
    messages: float
    under: float


def judged(folder: Path, programs: Path, chance: random.Random) -> Mapping[str, Sequence[str]]:
    """Texts by what they are: catalogues below the folder, talks of people, programs, emoji."""
    said = {name: it for name, it in sentences(folder, odd=False).items() if name in SCRIPTS}
    texts = {name: messages(it, chance, _MESSAGES) for name, it in said.items()}
    texts |= {f"{name}, talks": it for name, it in talks(odd=False).items()}
    texts["code"] = code([programs], chance, _MESSAGES)
    texts["emoji"] = with_emoji(messages(said["English"], chance, _MESSAGES), chance)
    return texts


def error(texts: Sequence[str], count: Counts, estimate: Estimate, chance: random.Random) -> Error:
    """Of the texts alone, and of windows of about 2,000 tokens that they are put together to."""
    pairs = [(estimate.count(it), max(1, count(it))) for it in texts]
    windows = [_window(pairs, chance) for _ in range(_WINDOWS)]
    return Error(
        sum(guessed / real - 1 for guessed, real in windows) / len(windows),
        _p99([abs(guessed / real - 1) for guessed, real in windows]),
        _p99([abs(guessed / real - 1) for guessed, real in pairs]),
        max(real / guessed - 1 for guessed, real in windows),
    )


def _window(pairs: Sequence[tuple[int, int]], chance: random.Random) -> tuple[int, int]:
    guessed = real = 0
    while real < _TOKENS:
        one = chance.choice(pairs)
        guessed, real = guessed + one[0], real + one[1]
    return guessed, real


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
