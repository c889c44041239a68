"""One call to one model, written into the ledger before it is made and settled after."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    Call,
    Foreseen,
    Money,
    Most,
    Outcome,
    Quantities,
    Rated,
    Settlement,
    Usage,
)
from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.fitting import Fitted
from antiphon_server.integration.models.model import (
    NOTHING_SAID,
    AttemptStarted,
    ModelEnd,
    ModelFailed,
    ModelStep,
    Prompt,
    ProviderSaid,
    Skipped,
    Step,
    ToolCall,
    Working,
)
from antiphon_server.integration.models.pricing import Prices, Tokens
from antiphon_server.integration.models.tokens import most_tokens
from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.encoding.token_estimate import tokens_of_bytes
from antiphon_server.runtime.errors import DomainError, Reason

Emit: TypeAlias = Callable[[Step | Working], Awaitable[object]]

MODEL_REASONS = frozenset(reason for reason in Reason if reason.startswith("MODEL_"))
# A provider that answers so, and nothing before, has not begun to work.
_FREE = frozenset(
    {
        Reason.MODEL_NOT_FOUND,
        Reason.MODEL_REFUSED,
        Reason.MODEL_UNAVAILABLE,
        Reason.MODEL_PROMPT_TOO_LONG,
    }
)


@dataclass(frozen=True, slots=True)
class Before:
    """What came before an attempt: why the last one failed, and who was skipped."""

    failure: str = ""
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: with ``end`` or with ``error``; ``spoke`` if text went out."""

    usage: Usage
    end: ModelEnd | None
    error: DomainError | None
    spoke: bool


@dataclass(slots=True)
class _Progress:
    """What is known of a running attempt."""

    prompt_tokens: int
    most_output: int
    call: Call | None = None
    prices: Prices | None = None
    begun: float = field(default_factory=time.monotonic)
    asked: bool = False
    sent_bytes: int = 0
    thought_bytes: int = 0
    call_bytes: int = 0
    whole_call_bytes: int = 0
    begun_to_answer: bool = False
    end: ModelEnd | None = None

    def usage(self, prices: Prices | None, *, free: bool) -> Usage:
        """What it consumed: as reported, or else as estimated."""
        if self.end is not None and self.end.tokens is not None:
            return _usage(self.end.tokens, prices, estimated=False)
        if not self.asked or (free and not self.begun_to_answer):
            return Usage(Quantities(), False, Money(prices.currency if prices else "USD", 0))
        # What is thought is paid for as what is said, and what was begun of calls as whole ones.
        calls = max(self.call_bytes - self.whole_call_bytes, 0)
        heard = self.sent_bytes + self.thought_bytes + calls
        said = min(tokens_of_bytes(heard), self.most_output)
        guess = Tokens(self.prompt_tokens, said)
        return _usage(guess, prices, estimated=True)


class Attempts:
    """Makes attempts, each of which is a call in the ledger."""

    def __init__(self, calls: PricedCalls) -> None:
        self._calls = calls

    async def make(
        self,
        model: ConfiguredModel,
        wanted: Fitted,
        before: Before,
        emit: Emit,
        limit: asyncio.Timeout,
    ) -> Ended:
        """Ask the model, handing each text to ``emit``; a model's failure is returned.

        What ``emit`` or the ledger raises, and a cancellation (by ``limit``, for one),
        is raised, after the provider's connection was closed and the call was settled.
        """
        prompt = wanted.prompt
        progress = _Progress(wanted.tokens, prompt.max_output_tokens)
        left = wanted.omitted, wanted.described, wanted.withheld
        try:
            call = await completed(self._open(model, wanted, progress))
            retry_of, skipped = before.failure, before.skipped
            texts = wanted.omitted_texts
            await emit(AttemptStarted(call.call_id, model.name, retry_of, *left, skipped, texts))
            progress.asked = True
            await _stream(model, prompt, progress, emit)
        except DomainError as error:
            if progress.call is None:  # nothing was written that could be settled
                raise
            usage = await completed(self._settle(progress.call, model, progress, error))
            if error.reason not in MODEL_REASONS:
                raise
            return Ended(usage, None, error, progress.sent_bytes > 0)
        except BaseException:  # the time is up, or whoever listened has gone
            if progress.call is not None:
                late = DomainError(Reason.MODEL_TIMEOUT) if limit.expired() else None
                await completed(self._settle(progress.call, model, progress, late))
            raise
        usage = await completed(self._settle(call, model, progress, None))
        return Ended(usage, progress.end, None, progress.sent_bytes > 0)

    async def check(self, model: ConfiguredModel, wanted: Fitted) -> None:
        """Refuse what no budget has enough for now. Raises BUDGET_EXCEEDED, PRICE_UNKNOWN."""

        async def most() -> Most:
            return _most(wanted.prompt, await model.prices())

        await self._calls.check(wanted.order.payer, MODEL_CALL, model.name, most)

    async def _open(self, model: ConfiguredModel, wanted: Fitted, progress: _Progress) -> Call:
        async def most() -> Most:
            progress.prices = await model.prices()  # by which it is settled, too
            return _most(wanted.prompt, progress.prices)

        def foreseen() -> Foreseen:
            prices = _asked(progress.prices or model.prices_by_now(), time.time_ns() // 1000)
            usage = _usage(Tokens(progress.prompt_tokens, 0), prices, estimated=True)
            return Foreseen(usage, _rated(progress, prices))

        payer = wanted.order.payer
        progress.call = await self._calls.open(payer, MODEL_CALL, model.name, foreseen, most)
        return progress.call

    async def _settle(
        self, call: Call, model: ConfiguredModel, progress: _Progress, error: DomainError | None
    ) -> Usage:
        duration_ms = round((time.monotonic() - progress.begun) * 1000)
        prices = progress.prices or await model.prices()
        prices = _asked(prices, call.start_us)  # as they were when it began
        usage = progress.usage(prices, free=error is not None and _is_free(error))
        outcome, reason = _outcome(progress, error)
        said = said_by(error)
        settlement = Settlement(
            outcome, usage, duration_ms, reason, said.status, said.words, progress.asked
        )
        await self._calls.settle(call, settlement)
        return usage


async def _stream(model: ConfiguredModel, prompt: Prompt, progress: _Progress, emit: Emit) -> None:
    async with aclosing(model.backend.generate(prompt)) as steps:
        async for step in steps:
            progress.begun_to_answer = True
            if isinstance(step, ModelEnd):
                progress.end = step
                continue
            _count(step, progress)
            await emit(step)


def _count(step: ModelStep, progress: _Progress) -> None:
    if isinstance(step, str):
        progress.sent_bytes += len(step.encode())
    elif isinstance(step, ToolCall):
        size = len(step.tool.encode()) + len(step.arguments.encode())
        progress.sent_bytes += size
        progress.whole_call_bytes += size
    elif isinstance(step, Working):
        progress.thought_bytes += step.thought_bytes
        progress.call_bytes += step.call_bytes


def _is_free(error: DomainError) -> bool:
    begun = isinstance(error, ModelFailed) and error.begun
    return error.reason in _FREE and not begun


def said_by(error: DomainError | None) -> ProviderSaid:
    """What the provider said of its failure, for operators."""
    return error.said if isinstance(error, ModelFailed) else NOTHING_SAID


def _outcome(progress: _Progress, error: DomainError | None) -> tuple[Outcome, str]:
    if error is not None:
        return Outcome.FAILED, error.reason
    return (Outcome.SUCCEEDED if progress.end is not None else Outcome.CANCELLED), ""


def _asked(prices: Prices | None, time_us: int) -> Prices | None:
    return None if prices is None else prices.at(time_us)


def _most(prompt: Prompt, prices: Prices | None) -> Most:
    """What no answer exceeds: the provider is told how much it may say."""
    asked, said = most_tokens(prompt), prompt.max_output_tokens
    audio = any("audio" in message.kinds for message in prompt.messages)
    cost = None if prices is None else prices.most(asked, said, audio=audio)
    return Most(asked + said, cost, free=prices is not None and prices.free)


def _rated(progress: _Progress, prices: Prices | None) -> Rated:
    """By what others estimate the call if this server is gone."""
    if prices is None:
        return Rated(most_output=progress.most_output)
    rates = prices.rates_of(progress.prompt_tokens)
    return Rated(rates.input, rates.output, progress.most_output)


def _usage(tokens: Tokens, prices: Prices | None, *, estimated: bool) -> Usage:
    cost = prices.cost(tokens) if prices is not None else None
    return Usage(tokens.quantities, estimated, cost)
