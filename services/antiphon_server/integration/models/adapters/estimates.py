"""Estimates of tokens, for models whose tokenizer no package here carries."""

from collections.abc import Iterable, Mapping
from functools import cache
from operator import mul
from pathlib import Path

import msgspec

from antiphon_server.integration.models.character_counts import NAMES, character_counts

MARGIN = 1.16
"""A prompt has at most so many times the tokens that are estimated: docs/decisions/0084."""
_FILE = Path(__file__).with_name("token_rates.json")
MOST_BYTES = {"o200k": 7.0, "cl100k": 4.8, "deepseek": 6.6, "smollm2": 4.2}
"""Bytes a token: in Hindi, English, Thai and English."""
_RARE = {"armenian": 2.0, "marks": 2.0, "others_of_three": 3.0, "wide": 3.0}
"""Of which tokenizers differ most: all their bytes, where nobody knows which it is."""
_LARGE = ("o200k", "cl100k", "deepseek")


class Estimate:
    """A :class:`~antiphon_server.integration.models.ports.CountsTokens` by rates of characters.

    Of several ``families`` of tokenizers the largest estimate counts. ``margin`` is as in the port.
    """

    exact = False

    def __init__(self, families: Iterable[str], margin: float = MARGIN) -> None:
        self._families = tuple(families)
        self.name = f"estimate {'|'.join(self._families)}"
        self.margin = margin
        self.most_bytes = min([MOST_BYTES[it] for it in self._families])

    @property
    def loaded(self) -> bool:
        return _read.cache_info().currsize > 0

    def count(self, text: str) -> int:
        if not text:
            return 0
        counts, rates = character_counts(text), _rates(len(self._families) > 1)
        most = max([sum(map(mul, counts, rates[name])) for name in self._families])
        return max(1, min(-int(-most // 1), len(text.encode("utf-8", "replace"))))


def estimate_of(family: str, margin: float = MARGIN) -> Estimate:
    """As that family of tokenizers counts; for an empty one, as any large vocabulary does."""
    return Estimate((family,) if family else _LARGE, margin)


@cache
def _rates(any_of_them: bool) -> Mapping[str, tuple[float, ...]]:
    found = {name: dict(rates) for name, rates in _read().items()}
    for rates in found.values() if any_of_them else ():
        for name, rate in _RARE.items():
            more = max(0.0, rate - rates[name])
            rates[name] += more
            if name == "others_of_three":  # Vietnamese letters are among these, and are not rare
                rates["vietnamese"] -= more
    return {name: tuple([rates[it] for it in NAMES]) for name, rates in found.items()}


@cache
def _read() -> Mapping[str, Mapping[str, float]]:
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, dict[str, float]])
