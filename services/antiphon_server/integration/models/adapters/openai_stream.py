"""The OpenAI wire's streamed answer: server-sent events with one JSON chunk each.

Written for throughput: what one read brought is split once, and its texts are
handed on as one.
Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

import json
from typing import Any

import msgspec

from antiphon_server.integration.models.adapters.openai_calls import (
    CallPiece,
    CallPieces,
    TooMuch,
    piece_size,
    size_of,
    whole,
)
from antiphon_server.integration.models.adapters.openai_usage import counts, tokens_of
from antiphon_server.integration.models.model import (
    WORKING,
    FinishReason,
    ModelEnd,
    ToolCall,
    ToolCallId,
    Working,
)
from antiphon_server.integration.models.pricing import Tokens
from antiphon_server.runtime.encoding.ids import new_id

MAX_LINE = 1 << 20
MAX_ANSWER = 4 << 20
# All of a stream, whatever of it is text: a million tokens, each in an event of its own, with what
# is around them and between them. Without that what means nothing could come for ever.
MAX_BYTES = 512 << 20
MAX_LINES = 4 << 20
MAX_PROMPT = (1 << 31) - 1  # as the contract can say it

_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
}


class Malformed(Exception):
    """The provider's bytes are not a chat-completions stream, or too many."""


class ProviderFault(Exception):
    """The provider said in the stream that it failed, and this of it."""


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    tool_calls: list[CallPiece] | None = None
    # What it thinks, which is never shown; one name is DeepSeek's, the other OpenRouter's.
    reasoning_content: Any = None
    reasoning: Any = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: Any = None  # odd counts must not cost the answer that they come after
    error: Any = None  # an object or a sentence
    prompt_progress: Any = None  # llama.cpp's own


_decode = msgspec.json.Decoder(_Chunk).decode


class AnswerParser:
    """Reads one streamed answer from chunks of bytes cut anywhere."""

    __slots__ = (
        *("_bytes", "_half", "_halves", "_held", "_held_size", "_lines", "_size"),
        *("_pieces", "_work", "done", "events", "progress", "reason", "tokens"),
    )

    def __init__(self) -> None:
        self._held: list[bytes] = []  # an unfinished line, joined when its end comes
        self._held_size = 0
        self._size = 0  # of its text
        self._bytes = self._lines = 0  # of all of it
        self._halves = False  # whether characters come in halves
        self._pieces: CallPieces | None = None
        self._half = ""  # the first half of a character, until the second one comes
        self.done = False
        self.events = 0  # comments and empty lines are none
        self._work: Working | None = None  # on what is no text
        self.progress: tuple[int, int] | None = None  # tokens of the prompt: read, in all
        self.reason: FinishReason | None = None
        self.tokens: Tokens | None = None

    def feed(self, chunk: bytes) -> str:
        """The text that ``chunk`` completes, often empty. Raises Malformed, ProviderFault."""
        self._bytes += len(chunk)
        ends = chunk.count(b"\n")
        self._lines += ends
        if self._bytes > MAX_BYTES or self._lines > MAX_LINES:
            raise Malformed("too many bytes or lines")
        if not ends:
            self._hold(chunk)
            return ""
        if self._held:
            self._held.append(chunk)
            chunk = b"".join(self._held)
            self._held.clear()
            self._held_size = 0
        *lines, rest = chunk.split(b"\n")
        if rest:
            self._hold(rest)
        text = "".join([self._event(line[5:]) for line in lines if line.startswith(b"data:")])
        if self._halves:
            text = self._joined(text)
        self._size += len(text)
        if self._size > MAX_ANSWER:
            raise Malformed("answer too long")
        return text

    def end(self) -> ModelEnd:
        """The answer's end, when no more bytes come. Raises Malformed if it broke off."""
        if not self.done and self.reason is None:
            raise Malformed("no end")
        reason = self.reason or FinishReason.UNSPECIFIED
        if self._pieces and reason is not FinishReason.LENGTH:  # some say "stop"
            reason = FinishReason.TOOL_CALLS
        return ModelEnd(reason, self.tokens)

    def calls(self) -> list[ToolCall]:
        """The calls that the answer ends with, each with an id of its own."""
        found = self._pieces.whole() if self._pieces else []
        return [ToolCall(ToolCallId(new_id("tool")), name, text) for name, text in found]

    def _joined(self, text: str) -> str:
        """``text`` with the halves of characters put together; one at its end has to wait."""
        text = self._half + text
        waits = not self.done and "\ud800" <= text[-1:] <= "\udbff"
        self._half = text[-1:] if waits else ""
        return whole(text.removesuffix(self._half))

    def _hold(self, piece: bytes) -> None:
        self._held.append(piece)
        self._held_size += len(piece)
        if self._held_size > MAX_LINE:
            raise Malformed("line too long")

    def _event(self, data: bytes) -> str:
        if self.done:
            return ""
        self.events += 1
        if data.strip() == b"[DONE]":
            self.done = True
            return ""
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            chunk = _decode_loosely(data)
            self._halves = True
        except RecursionError as error:
            raise Malformed("nested too deeply") from error
        if chunk.error is not None:
            raise ProviderFault(json.dumps({"error": chunk.error}))
        if chunk.usage is not None:
            self.tokens = tokens_of(chunk.usage) or self.tokens
        if chunk.prompt_progress is not None:
            self.progress = _progress(chunk.prompt_progress)
        return self._choice(chunk.choices[0]) if chunk.choices else ""

    def _choice(self, choice: _Choice) -> str:
        if choice.finish_reason is not None:
            self.reason = _FINISH_REASONS.get(str(choice.finish_reason), FinishReason.UNSPECIFIED)
        delta = choice.delta
        if delta is None:
            return ""
        if thought := delta.reasoning_content or delta.reasoning:
            self._note(thought_bytes=size_of(thought))
        if delta.tool_calls:
            self._note(call_bytes=sum(map(piece_size, delta.tool_calls)))
            self._take(delta.tool_calls)
        return delta.content or ""

    def work(self) -> Working | None:
        """What it has worked on since this was asked the last time; None if on nothing."""
        work, self._work = self._work, None
        return work

    def _note(self, thought_bytes: int = 0, call_bytes: int = 0) -> None:
        before = self._work or WORKING
        self._work = Working(before.thought_bytes + thought_bytes, before.call_bytes + call_bytes)

    def _take(self, pieces: list[CallPiece]) -> None:
        self._pieces = self._pieces or CallPieces()
        try:
            for piece in pieces:
                self._pieces.add(piece)
        except TooMuch as error:
            raise Malformed("too many calls") from error


def _decode_loosely(data: bytes) -> _Chunk:
    """A chunk with halves of characters, or numbers that are none. Raises Malformed."""
    try:
        return msgspec.convert(json.loads(data), _Chunk)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise Malformed("not a chunk") from error


def _progress(progress: Any) -> tuple[int, int] | None:
    """How many tokens of the prompt are read, and how many there are; None if it can't be."""
    if not isinstance(progress, dict):
        return None
    read, total = progress.get("processed"), progress.get("total")
    if not (counts(read) and counts(total)):
        return None
    return (read, total) if read <= total <= MAX_PROMPT else None
