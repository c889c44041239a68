"""How the fake endpoint answers, and what it saw."""

import json
from dataclasses import dataclass, field
from typing import Any

# ok: the whole answer. The others misbehave as their name says; "hang" never
# sends a byte, "silent" stops after half of the deltas, "cut" closes there, "no_end"
# ends the response there, "drip" sends single bytes, "fault" reports an error there,
# "flood" is a line without end, "length" says at the end that the limit was reached,
# "too_long" refuses a prompt as llama.cpp does.
MODES = [
    "ok",
    "hang",
    "silent",
    "cut",
    "no_end",
    "drip",
    "garbage",
    "fault",
    "flood",
    "length",
    "too_long",
    "400",
    "401",
    "403",
    "404",
    "429",
    "500",
    "503",
]


@dataclass
class Behaviour:
    """One way to answer: ``deltas`` texts, ``gap_ms`` before each but the first."""

    mode: str = "ok"
    deltas: int = 20
    gap_ms: float = 0.0
    text: str = "word "
    usage: tuple[int, int] | None = (11, 20)
    first_byte_ms: float = 0.0
    retry_after: str = ""


@dataclass
class Seen:
    """One request: times are of the monotonic clock, in seconds; ``mode`` is how it is answered."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    received: float
    sent: int = 0
    ended: float | None = None
    aborted: float | None = None
    mode: str = "ok"


@dataclass
class Rendered:
    """A behaviour's answer as bytes, made once: one HTTP chunk per delta."""

    head: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    tail: bytes = b""


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def render(behaviour: Behaviour) -> Rendered:
    """The head, a chunk per delta, and the end, of a well-behaved answer."""
    chunks = [
        _event({"choices": [{"index": 0, "delta": {"content": behaviour.text}}]})
        for _ in range(behaviour.deltas)
    ]
    reason = "length" if behaviour.mode == "length" else "stop"
    end = _event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if behaviour.usage is not None:
        tokens = dict(zip(("prompt_tokens", "completion_tokens"), behaviour.usage, strict=True))
        end += _event({"choices": [], "usage": tokens})
    return Rendered(HEAD, chunks, end + http_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def http_chunk(data: bytes) -> bytes:
    """``data`` in HTTP's chunked coding."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def refusal(status: str, retry_after: str, kind: str = "invalid_request_error") -> bytes:
    """An HTTP error whose body holds what must not leak."""
    message = "canary-4711: key sk-secret is wrong"
    body = json.dumps({"error": {"message": message, "type": kind}}).encode()
    extra = f"Retry-After: {retry_after}\r\n" if retry_after else ""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _event(chunk: dict[str, Any]) -> bytes:
    envelope = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake",
        **chunk,
    }
    return http_chunk(b"data: " + json.dumps(envelope).encode() + b"\n\n")
