"""Token counts where no tokenizer is at hand: an estimate, and a bound that is never under."""

from collections.abc import Iterable

from antiphon_server.integration.models.model import (
    PartKind,
    Prompt,
    PromptMessage,
    ToolDefinition,
)
from antiphon_server.runtime.encoding.token_estimate import (
    BYTES_PER_TOKEN,
    TOKENS_PER_MESSAGE,
    tokens_of_bytes,
    tokens_of_text,
)

MOST_OF_TEMPLATE = 1024
"""What providers tell a model before all messages: some hundred tokens, of Grok 4 nearly 700."""
MOST_OF_TOOLS_TEMPLATE = 1024
"""What they tell one that has tools, as how to call them: of Claude 3 Opus 530 tokens."""
MOST_OF_TOOL = 64
MOST_OF_MESSAGE = 16
MOST_OF_CALL = 96
"""What stands around a tool, a message, a call or its result, besides their texts."""
MOST_OF_PART: dict[PartKind, int] = {
    "text": 0,
    "image": 50_000,
    "audio": 32 * 3600,
    "file": 100 * 3000,
}
"""What parts count besides texts. A picture: the largest, where pictures count the most (of
gpt-4o-mini 48,169). A recording: an hour at 32 tokens a second. A file: 100 pages of 3,000. The
length of recordings and files is not known here: longer ones count more."""


class BytesOfTokens:
    """A :class:`~antiphon_server.integration.models.ports.CountsTokens`: 4 bytes each."""

    name = "bytes"
    exact = False
    margin = 1.0
    most_bytes = float(BYTES_PER_TOKEN)
    loaded = True

    def count(self, text: str) -> int:
        """See :meth:`CountsTokens.count`."""
        return tokens_of_text(text)


def tokens_of_message(message: PromptMessage) -> int:
    """The estimate for a message; what is not text is not counted."""
    return tokens_of_bytes(message.text_bytes) + TOKENS_PER_MESSAGE


def tokens_of_prompt(messages: Iterable[PromptMessage]) -> int:
    """The estimate for a prompt."""
    return sum([tokens_of_message(message) for message in messages])


def tokens_of_tools(tools: Iterable[ToolDefinition]) -> int:
    """The estimate for what a model is told of tools."""
    return sum([tokens_of_bytes(tool.text_bytes) + TOKENS_PER_MESSAGE for tool in tools])


def most_tokens(prompt: Prompt) -> int:
    """A bound on what a provider counts of a prompt, whatever tokenizer and template it has."""
    messages = sum([_most_of_message(message) for message in prompt.messages])
    tools = sum([MOST_OF_TOOL + tool.widest_bytes for tool in prompt.tools])
    template = MOST_OF_TEMPLATE + (MOST_OF_TOOLS_TEMPLATE if tools else 0)
    return template + messages + tools


def _most_of_message(message: PromptMessage) -> int:
    calls = len(message.calls) + (message.answers is not None)
    parts = sum([MOST_OF_PART[part.kind] for part in message.parts])
    return MOST_OF_MESSAGE + MOST_OF_CALL * calls + message.widest_bytes + parts
