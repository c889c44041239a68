"""How the fake endpoint answers, and what it saw."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

# ok: the whole answer; "drip" sends it in single bytes, "length" says at the end that the limit
# was reached.
WHOLE = ("ok", "drip", "length")
# Half of the deltas; then "silent" says nothing more, "cut" closes, "no_end" ends the response,
# "fault" reports an error, "flood" is a line without end, "newlines" and "comments" are such lines
# without end, "pings" a comment after each gap.
_BROKEN = ("silent", "cut", "no_end", "garbage", "fault", "flood", "newlines", "comments", "pings")
# "hang" never sends a byte, "too_long" refuses a prompt as llama.cpp does.
MODES = (*WHOLE, "hang", *_BROKEN, "too_long", "400", "401", "403", "404", "429", "500", "503")


@dataclass
class Behaviour:
    """One way to answer: ``deltas`` texts, ``gap_ms`` before each but the first, then calls.

    Of each of the ``calls`` there is its name, and the pieces of its arguments. It has so many
    ``thoughts`` before that, with the same gap behind each. ``details`` are what its usage has
    besides the two counts.
    """

    mode: str = "ok"
    deltas: int = 20
    gap_ms: float = 0.0
    text: str = "word "
    usage: tuple[int, int] | None = (11, 20)
    details: dict[str, Any] = field(default_factory=dict)
    first_byte_ms: float = 0.0
    retry_after: str = ""
    calls: Sequence[tuple[str, Sequence[str]]] = ()
    thoughts: int = 0


@dataclass
class Seen:
    """One request: times are of the monotonic clock, in seconds; ``mode`` is how it is answered."""

    headers: dict[str, str]
    body: dict[str, Any]
    received: float
    mode: str
    sent: int = 0
    ended: float | None = None
    aborted: float | None = None


def delta(text: str) -> bytes:
    """The event of one text."""
    return _event({"choices": [{"index": 0, "delta": {"content": text}}]})


def thought() -> bytes:
    """The event of what a model thinks, as DeepSeek and vLLM tell it."""
    return _event({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]})


def end(behaviour: Behaviour) -> bytes:
    """The events behind the last text."""
    reason = "tool_calls" if behaviour.calls else "stop"
    reason = "length" if behaviour.mode == "length" else reason
    said = b"".join([_call(at, *call) for at, call in enumerate(behaviour.calls)])
    said += _event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if behaviour.usage is not None:
        tokens = dict(zip(("prompt_tokens", "completion_tokens"), behaviour.usage, strict=True))
        said += _event({"choices": [], "usage": tokens | behaviour.details})
    return said + b"data: [DONE]\n\n"


def _call(index: int, name: str, arguments: Sequence[str]) -> bytes:
    begun: dict[str, Any] = {"id": f"call_{index}", "type": "function"}
    begun["function"] = {"name": name, "arguments": ""}
    pieces = [begun, *[{"function": {"arguments": piece}} for piece in arguments]]
    return b"".join(
        [
            _event({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": index} | piece]}}]})
            for piece in pieces
        ]
    )


def refusal(behaviour: Behaviour) -> web.Response:
    """An HTTP error whose body holds what must not leak."""
    long = behaviour.mode == "too_long"
    kind = "exceed_context_size_error" if long else "invalid_request_error"
    error = {"message": "canary-4711: key sk-secret is wrong", "type": kind}
    status = 400 if long else int(behaviour.mode)
    headers = {"Retry-After": behaviour.retry_after} if behaviour.retry_after else None
    return web.json_response({"error": error}, status=status, headers=headers)


def _event(chunk: dict[str, Any]) -> bytes:
    envelope = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake",
        **chunk,
    }
    return b"data: " + json.dumps(envelope).encode() + b"\n\n"
