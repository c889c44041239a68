"""What models need from outside."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from antiphon_server.integration.models.model import (
    Failure,
    ModelName,
    ModelStep,
    Prompt,
    PromptMessage,
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


class ModelBackend(Protocol):
    """Answers prompts as one model."""

    def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        """Stream the answer: texts, then exactly one ModelEnd; before them its progress, if told.

        A Working says that it is not slow, though it has no text yet; one will do.

        Closing the iterator, or cancelling the task that reads it, closes the
        provider's connection before it returns. Raises DomainError MODEL_NOT_FOUND
        (it can't be run here), MODEL_UNAVAILABLE, MODEL_TIMEOUT, MODEL_PROTOCOL,
        MODEL_REFUSED or MODEL_PROMPT_TOO_LONG, and nothing else.
        """
        ...

    async def count(self, messages: Sequence[PromptMessage]) -> int | None:
        """How many tokens the messages have by the model's own tokenizer, None if unknown."""
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
