"""The tokenizer in a GGUF file of the small model, without the model.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from pathlib import Path
from typing import Any, BinaryIO

from tokenizers import Tokenizer, models, pre_tokenizers

_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9


def tokenizer_in(file: Path) -> Tokenizer:
    """Byte-level BPE with each digit alone, as SmolLM2 has it."""
    found = _metadata(file)
    tokens, merges = found["tokenizer.ggml.tokens"], found["tokenizer.ggml.merges"]
    vocabulary = {token: at for at, token in enumerate(tokens)}
    made = Tokenizer(models.BPE(vocabulary, [tuple(it.split(" ", 1)) for it in merges]))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return made


def _metadata(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        opened.read(8)
        _, count = struct.unpack("<QQ", opened.read(16))
        return dict(_entry(opened) for _ in range(count))


def _entry(opened: BinaryIO) -> tuple[str, Any]:
    return _text(opened), _value(opened, _number(opened, "I"))


def _value(opened: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(opened)
    if kind == _ARRAY:
        inner, count = _number(opened, "I"), _number(opened, "Q")
        return [_value(opened, inner) for _ in range(count)]
    return _number(opened, _NUMBERS[kind])


def _text(opened: BinaryIO) -> str:
    return opened.read(_number(opened, "Q")).decode()


def _number(opened: BinaryIO, form: str) -> Any:
    return struct.unpack(f"<{form}", opened.read(struct.calcsize(f"<{form}")))[0]
