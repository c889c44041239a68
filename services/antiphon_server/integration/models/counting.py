"""The one place where tokens of prompts are counted: by each model's tokenizer, each text once."""

import asyncio
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from threading import Lock

from antiphon_server.integration.models.model import PartKind, PromptMessage, ToolDefinition
from antiphon_server.integration.models.ports import CountsTokens
from antiphon_server.integration.models.tokens import BytesOfTokens
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.encoding.token_estimate import BYTES_PER_TOKEN, TOKENS_PER_MESSAGE

TOKENS_OF_PROMPT = 8
"""What stands around all messages, and is in no message's count."""
TOKENS_PER_CALL = 12
"""What stands around a call, or its result, besides what stands around its message."""
TOKENS_PER_TOOL = 16
TOKENS_OF_TOOLS = 256
"""What stands around a tool, and what a model is told of how to call any."""
TOKENS_OF_PART: dict[PartKind, int] = {"text": 0, "image": 1_600, "audio": 3_840, "file": 3_000}
"""A picture as Anthropic counts the largest; two minutes at 32 tokens a second; a page."""
SHORT_BYTES = 2_048
"""Counts of shorter texts are kept with their messages alone, which are remembered."""
KEPT_COUNTS = 20_000
AT_ONCE_BYTES = 2_048
"""So much is counted on the event loop, in about a millisecond; more in a thread."""


class KeptCounts:
    """Counts of long texts, which come again with each turn; those used longest ago go first."""

    def __init__(self, most: int = KEPT_COUNTS) -> None:
        self._counts = LruCache[bytes, int](most)
        self._lock = Lock()

    def count(self, counter: CountsTokens, text: str) -> int:
        """The count by that counter."""
        encoded = text.encode("utf-8", "replace")
        key = blake2b(encoded, digest_size=16, key=counter.name.encode()[:64]).digest()
        with self._lock:
            known = self._counts.get(key)
        if known is None:
            known = counter.count(text)
            with self._lock:
                self._counts.put(key, known)
        return known


class Counting:
    """Counts for one model, with what stands around texts."""

    def __init__(self, counter: CountsTokens, kept: KeptCounts | None = None) -> None:
        self._counter = counter
        self._name = counter.name
        self._kept = kept

    @property
    def exact(self) -> bool:
        """Whether texts are counted by the model's own tokenizer."""
        return self._counter.exact

    @property
    def margin(self) -> float:
        """So many times as many tokens there may be."""
        return self._counter.margin

    def in_four_bytes(self, tokens: int) -> int:
        """So many tokens as those have who take 4 bytes for one, in whatever language."""
        return round(tokens * max(1.0, self._counter.most_bytes / BYTES_PER_TOKEN))

    async def prepare(
        self, messages: Sequence[PromptMessage], tools: Sequence[ToolDefinition], budget: int
    ) -> None:
        """Count the newest messages that such a budget has room for, and keep that with them.

        What takes long is done in a thread: after this the other methods take no time.
        """
        waiting, left = sum([tool.text_bytes for tool in tools]), budget
        for message in reversed(messages):
            if waiting > AT_ONCE_BYTES or left < 0:
                break
            known = message.counts.get(self._name)
            if known is None:
                waiting += message.text_bytes
            left -= known or 0
        if waiting > AT_ONCE_BYTES or not self._counter.loaded:
            await asyncio.to_thread(self._count_all, messages, tools, budget)

    def of_message(self, message: PromptMessage) -> int:
        """The tokens of a message, with its parts that are no texts."""
        known = message.counts.get(self._name)
        if known is None:
            parts = sum([TOKENS_OF_PART[part.kind] for part in message.parts])
            calls = len(message.calls) + (message.answers is not None)
            known = self._of_text(message.told) + parts
            known += TOKENS_PER_MESSAGE + TOKENS_PER_CALL * calls
            message.counts[self._name] = known
        return known

    def of_messages(self, messages: Iterable[PromptMessage]) -> int:
        """The tokens of messages."""
        return sum([self.of_message(message) for message in messages])

    def of_tools(self, tools: Sequence[ToolDefinition]) -> int:
        """The tokens of what a model is told of tools."""
        if not tools:
            return 0
        each = [self._of_text(tool.told) + TOKENS_PER_TOOL for tool in tools]
        return TOKENS_OF_TOOLS + sum(each)

    def _count_all(
        self, messages: Sequence[PromptMessage], tools: Sequence[ToolDefinition], budget: int
    ) -> None:
        self.of_tools(tools)
        for message in reversed(messages):
            if budget < 0:
                break
            budget -= self.of_message(message)

    def _of_text(self, text: str) -> int:
        if self._kept is not None and len(text) > SHORT_BYTES:
            return self._kept.count(self._counter, text)
        return self._counter.count(text)


FOUR_BYTES = Counting(BytesOfTokens())
"""A token for four bytes: of models that say what they are told to, and where nothing is known."""
