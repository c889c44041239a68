"""Those around the ledger: an endpoint that does as it is told."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from antiphon_server.integration.ledger.model import CallId, Outcome
from antiphon_server.integration.models.model import (
    AttemptStarted,
    ModelEnd,
    ModelStep,
    Prompt,
    PromptMessage,
    Step,
    ToolDefinition,
)
from antiphon_server.integration.models.pricing import Prices, Rates, Tokens
from antiphon_server.runtime.errors import DomainError

PRICES = Prices(Rates(1_000_000, 2_000_000))


@dataclass(slots=True)
class Asked:
    """A call as the endpoint knows it: how much it said, and how it ended."""

    said: int = 0
    outcome: Outcome = Outcome.UNKNOWN
    tokens: Tokens | None = None


@dataclass(slots=True)
class Answer:
    """A running answer: what its endpoint is told to do next, and its calls so far."""

    prompt: str
    told: "asyncio.Queue[str | ModelEnd | DomainError]" = field(default_factory=asyncio.Queue)
    calls: dict[CallId, Asked] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None

    @property
    def last(self) -> Asked:
        """The call that runs, or ran last."""
        return list(self.calls.values())[-1]

    async def emit(self, step: Step) -> None:
        """Take a step of the answer."""
        if isinstance(step, AttemptStarted):
            self.calls[step.call_id] = Asked()


class Endpoint:
    """Speaks as it is told; see :class:`~antiphon_server.integration.models.ports.ModelBackend`."""

    counts = False

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}

    async def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        answer = self.answers[prompt.messages[0].text]
        answer.last.outcome = Outcome.CANCELLED  # unless something else comes
        while True:
            told = await answer.told.get()
            if isinstance(told, DomainError):
                answer.last.outcome = Outcome.FAILED
                raise told
            if isinstance(told, ModelEnd):
                answer.last.outcome, answer.last.tokens = Outcome.SUCCEEDED, told.tokens
                yield told
                return
            answer.last.said += len(told)
            yield told

    async def count(
        self, messages: Sequence[PromptMessage], tools: Sequence[ToolDefinition] = ()
    ) -> int | None:
        return None

    def missing(self) -> str:
        """See :meth:`ModelBackend.missing`."""
        return ""

    async def context_tokens(self) -> int:
        return 0

    async def prices(self) -> Prices | None:
        return PRICES

    async def close(self) -> None:
        return
