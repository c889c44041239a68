"""Prompt injection, told by the small model that the package stackone-defender carries.

It is all-MiniLM-L6-v2, trained on by StackOne (Apache-2.0), 23 MB in 8 bits, in the wheel: nothing
is fetched. It knows English; see docs/dependencies.md for what it finds and what it takes for an
attack that is none.
"""

import asyncio
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.finding.text import Text
from antiphon_server.runtime.concurrency.bulkhead import Bounds, Bulkhead

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

NEWEST = 4_000
"""Characters at a text's end that are looked at, some five windows."""
BOUNDS = Bounds(calls=1, waiting=16, wait_s=2.0)
_WINDOW, _STEP = 254, 222
"""Tokens that are looked at together, beside the two at both ends; windows overlap."""
_BEGIN, _END = 101, 102
_TEMPERATURE = 2.41
"""Of the model's calibration."""
_ATTACK, _TALK = 0.77, 0.325
"""As its card says for high sensitivity: so like an attack at least, so like talk at most."""


class InjectionMissing(Exception):
    """The extra that brings the model is not installed; the message says what to do."""

    def __init__(self) -> None:
        super().__init__("to look for prompt injection, install antiphon[injection]")


class _Model(NamedTuple):
    session: "InferenceSession"
    tokenizer: "Tokenizer"


class Injection:
    """Looks for attempts to give a model other orders; its first look takes half a second more.

    One text is looked at at a time, by one thread, for at most 0.1 s; a few more may wait.
    """

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self._folder = _folder()
        self._places = Bulkhead(bounds)
        self._thread = ThreadPoolExecutor(bounds.calls, thread_name_prefix="injection")
        self._model: _Model | None = None

    async def look(self, parts: Sequence[str]) -> Sequence[Found]:
        """Windows of the newest text that are attacks. Raises NoPlace where too many wait."""
        async with self._places:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self.find, Text("".join(parts)))

    def close(self) -> None:
        """Let the thread go; what it is at is finished."""
        self._thread.shutdown(wait=False)

    def find(self, text: Text) -> Sequence[Found]:
        """The same on this thread, which it holds up."""
        model = self._model = self._model or _load(self._folder)
        normal = text.normal
        first = max(0, len(normal.value) - NEWEST)
        said = model.tokenizer.encode(normal.value[first:], add_special_tokens=False)
        found = []
        for at in range(0, max(1, len(said.ids) - (_WINDOW - _STEP)), _STEP):
            score, talk = _scores(model.session, said.ids[at : at + _WINDOW])
            if score >= _ATTACK and talk < _TALK:
                window = said.offsets[at : at + _WINDOW]
                places = normal.origin(first + window[0][0], first + window[-1][1])
                found.append(Found(*places, "injection", round(score, 3)))
        return found


def _folder() -> Path:
    """Of the model. Raises InjectionMissing."""
    needed = [find_spec(it) for it in ("stackone_defender", "onnxruntime", "tokenizers")]
    if None in needed or needed[0] is None or needed[0].origin is None:
        raise InjectionMissing
    return Path(needed[0].origin).parent / "models" / "minilm-multihead-v5"


def _load(folder: Path) -> _Model:
    from onnxruntime import InferenceSession, SessionOptions
    from tokenizers import Tokenizer

    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = InferenceSession(
        str(folder / "model_quantized.onnx"), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return _Model(session, tokenizer)


def _scores(session: "InferenceSession", ids: Sequence[int]) -> tuple[float, float]:
    """How like an attack, and how like talk of attacks; both from 0 to 1."""
    import numpy as np

    tokens = np.array([[_BEGIN, *ids, _END]], dtype=np.int64)
    asked = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
    attack, talk = session.run(None, asked)[0][0]
    return _sure(float(attack)), _sure(float(talk))


def _sure(logit: float) -> float:
    return 1 / (1 + math.exp(-logit / _TEMPERATURE))
