"""Token counts where no tokenizer is at hand: 4 bytes of UTF-8 a token."""

from collections.abc import Iterable

from antiphon_server.integration.models.model import PromptMessage, ToolDefinition

BYTES_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4


def tokens_of_bytes(size: int) -> int:
    """The estimate for a text of ``size`` bytes, rounded up."""
    return -(-size // BYTES_PER_TOKEN)


def tokens_of_message(message: PromptMessage) -> int:
    """The estimate for a message; what is not text is not counted."""
    return tokens_of_bytes(message.text_bytes) + TOKENS_PER_MESSAGE


def tokens_of_prompt(messages: Iterable[PromptMessage]) -> int:
    """The estimate for a prompt."""
    return sum([tokens_of_message(message) for message in messages])


def tokens_of_tools(tools: Iterable[ToolDefinition]) -> int:
    """The estimate for what a model is told of tools."""
    return sum([tokens_of_bytes(tool.text_bytes) + TOKENS_PER_MESSAGE for tool in tools])
