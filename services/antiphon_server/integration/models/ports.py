"""What models need from outside."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from antiphon_server.integration.models.model import (
    Failure,
    ModelName,
    ModelStep,
    Prompt,
    PromptMessage,
    ToolDefinition,
)
from antiphon_server.integration.models.pricing import Prices
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.concurrency.breaker import Breaker


class Conversations(Protocol):
    """Knows conversations."""

    async def admit(self, caller: Principal, conversation_id: str) -> str:
        """The workspace of one in which the caller may have models asked.

        Raises DomainError NOT_FOUND, PERMISSION_DENIED, or what keeps that from being known.
        """
        ...


class CountsTokens(Protocol):
    """Counts the tokens of texts as one tokenizer does, or as near to it as is known."""

    @property
    def name(self) -> str:
        """What its counts are kept by."""
        ...

    @property
    def exact(self) -> bool:
        """Whether it is the model's own tokenizer."""
        ...

    @property
    def margin(self) -> float:
        """So many times as many there may be, of a prompt: 1 where it is sure, or need not be."""
        ...

    @property
    def most_bytes(self) -> float:
        """So many bytes of UTF-8 a token has in the language that has the fewest tokens."""
        ...

    @property
    def loaded(self) -> bool:
        """Whether it can count at once; else the first count takes up to a second."""
        ...

    def count(self, text: str) -> int:
        """How many tokens the text has. Takes a processor up to a second for a megabyte."""
        ...


class ModelBackend(Protocol):
    """Answers prompts as one model."""

    @property
    def counts(self) -> bool:
        """Whether it can tell how many tokens a whole prompt has: :meth:`count`."""
        ...

    def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        """Stream the answer: texts, then exactly one ModelEnd; before them its progress, if told.

        A Working says that it is not slow, though it has no text yet; one will do.

        Closing the iterator, or cancelling the task that reads it, closes the
        provider's connection before it returns. Raises DomainError MODEL_NOT_FOUND
        (it can't be run here), MODEL_UNAVAILABLE, MODEL_TIMEOUT, MODEL_PROTOCOL,
        MODEL_REFUSED or MODEL_PROMPT_TOO_LONG, and nothing else.
        """
        ...

    async def count(
        self, messages: Sequence[PromptMessage], tools: Sequence[ToolDefinition] = ()
    ) -> int | None:
        """How many tokens they have by the model's own template and tokenizer, None if unknown.

        Raises DomainError as :meth:`generate` does.
        """
        ...

    def missing(self) -> str:
        """What is missing here for the model to be asked, in words; empty if nothing is.

        Looks at settings and what is installed, and asks nobody.
        """
        ...

    async def context_tokens(self) -> int:
        """The most tokens of prompt and answer together, as publicly known; 0 if it is not."""
        ...

    async def prices(self) -> Prices | None:
        """What the model costs, None if unknown; slow only when first asked."""
        ...

    async def close(self) -> None:
        """Release connections and processes."""
        ...


class Told(Protocol):
    """Is told that a model's breaker was opened or closed."""

    async def __call__(self, model: ModelName, breaker: Breaker, failure: Failure | None) -> None:
        """It is so now; ``failure`` is the model's last one. Raises nothing but cancellation."""
        ...
