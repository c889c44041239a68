"""The truth: what an endpoint was asked, said, and what it cost, call by call."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from antiphon_server.integration.ledger.model import CallId, Outcome, Payer
from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.model import (
    AttemptStarted,
    ModelEnd,
    ModelStep,
    Prompt,
    PromptMessage,
    Step,
    ToolDefinition,
    Working,
)
from antiphon_server.integration.models.pricing import Prices, Rates, Tokens
from antiphon_server.integration.models.settings import model_named
from antiphon_server.runtime.errors import DomainError

CHEAP, DEAR = Prices(Rates(1_000_000, 2_000_000)), Prices(Rates(3_000_000, 5_000_000))
"""A token costs one and two of the smallest units, or three and five."""


@dataclass(slots=True)
class Market:
    """What is asked now, and what time it is: both change while calls are under way."""

    prices: Prices = CHEAP
    now_us: int = 1_800_000_000_000_000

    def clock(self) -> int:
        """The time, for budgets."""
        return self.now_us


@dataclass(slots=True)
class Talk:
    """One call, as its endpoint knows it; ``prices`` and ``begun_us`` are those of its beginning.

    ``given_up`` says that another server gave it up, ``killed`` that
    its process died before its end was in the ledger. Of what was ``said`` the turn's log has
    ``logged`` bytes, and the ledger was told of ``recovered`` ones by who ended the turn.
    """

    payer: Payer
    told: "asyncio.Queue[str | ModelEnd | DomainError]" = field(default_factory=asyncio.Queue)
    prices: Prices | None = None
    begun_us: int = 0
    call_id: CallId | None = None
    asked: bool = False
    said: int = 0
    logged: int = 0
    recovered: int = 0
    outcome: Outcome = Outcome.CANCELLED
    tokens: Tokens | None = None
    given_up: bool = False
    killed: bool = False
    task: "asyncio.Task[None] | None" = None

    async def emit(self, step: Step | Working) -> None:
        """Take a step of the answer."""
        if isinstance(step, AttemptStarted):
            self.call_id = step.call_id
        elif isinstance(step, str) and not self.given_up:  # else the log takes nothing more
            self.logged += len(step)


class Endpoint:
    """Speaks as its talk is told; see :class:`~antiphon_server.…models.ports.ModelBackend`."""

    counts = False

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        talk = self._talk
        talk.asked = True
        while True:
            told = await talk.told.get()
            if isinstance(told, DomainError):
                talk.outcome = Outcome.FAILED
                raise told
            if isinstance(told, ModelEnd):
                talk.outcome, talk.tokens = Outcome.SUCCEEDED, told.tokens
                yield told
                return
            talk.said += len(told)
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
        return None

    async def close(self) -> None:
        return


class Priced(ConfiguredModel):
    """A model whose prices are those of the market at each moment."""

    def __init__(self, talk: Talk, market: Market) -> None:
        super().__init__(model_named("scripted/one"), Endpoint(talk))
        self._talk, self._market = talk, market

    def prices_by_now(self) -> Prices | None:
        return self._market.prices

    async def prices(self) -> Prices | None:
        talk, market = self._talk, self._market
        if talk.prices is None:
            talk.prices, talk.begun_us = market.prices, market.now_us
        return market.prices
