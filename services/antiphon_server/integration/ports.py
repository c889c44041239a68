"""What the integration service needs from outside."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from antiphon_server.integration.model import (
    Call,
    CallId,
    ModelStep,
    Prices,
    Prompt,
    PromptMessage,
    SettledCall,
    Settlement,
    Usage,
    UsageFilter,
)


class ModelBackend(Protocol):
    """Answers prompts as one model."""

    def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        """Stream the answer: texts, then exactly one ModelEnd; before them its progress, if told.

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

    async def prices(self) -> Prices | None:
        """What the model costs, None if unknown; slow only when first asked."""
        ...

    async def close(self) -> None:
        """Release connections and processes."""
        ...


class Ledger(Protocol):
    """Keeps what every call consumed."""

    async def open(self, call: Call, owner: str) -> None:
        """Commit that ``owner`` (a server's lasting name) is about to make the call."""
        ...

    async def settle(self, call_id: CallId, settlement: Settlement) -> None:
        """Commit how the call ended. The first settlement stands, unless it was given up."""
        ...

    async def abandon(self, owner: str) -> int:
        """Settle as UNKNOWN what an earlier process of ``owner`` left open; returns how many.

        Their usage is what was expected of their prompts.
        """
        ...

    async def calls(
        self, wanted: UsageFilter, before: tuple[int, CallId] | None, limit: int
    ) -> list[SettledCall]:
        """Settled calls, the newest first, from behind the position (start_us, call id)."""
        ...

    async def total(self, wanted: UsageFilter) -> Usage:
        """The sum over all settled calls; no calls cost nothing, in USD."""
        ...

    async def close(self) -> None:
        """Commit what waits, and accept no more calls."""
        ...
