"""One call to one model, written into the ledger before it is made and settled after."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog

from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    Money,
    Outcome,
    Payer,
    Settlement,
    Usage,
)
from antiphon_server.integration.ledger.ports import Ledger
from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.model import (
    AttemptStarted,
    ModelEnd,
    Order,
    Prices,
    Prompt,
    Step,
    Tokens,
)
from antiphon_server.integration.models.tokens import tokens_of_bytes, tokens_of_prompt
from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason

Emit: TypeAlias = Callable[[Step], Awaitable[object]]

MODEL_REASONS = frozenset(reason for reason in Reason if reason.startswith("MODEL_"))
# A provider that answers so has not begun to work.
_FREE = frozenset(
    {
        Reason.MODEL_NOT_FOUND,
        Reason.MODEL_REFUSED,
        Reason.MODEL_UNAVAILABLE,
        Reason.MODEL_PROMPT_TOO_LONG,
    }
)

# As long as a turn waits for the store with its own end.
RETRY_S = (0.1, 0.5, 1.0, 2.0, 5.0)

logger = structlog.get_logger(__name__)


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
    opened: bool = False
    begun: float = field(default_factory=time.monotonic)
    sent_bytes: int = 0
    end: ModelEnd | None = None

    def usage(self, prices: Prices | None, *, free: bool) -> Usage:
        """What it consumed: as reported, or else as estimated."""
        if self.end is not None and self.end.tokens is not None:
            return _usage(self.end.tokens, prices, estimated=False)
        if free and not self.sent_bytes:
            return Usage(0, 0, False, Money(prices.currency if prices else "USD", 0))
        guess = Tokens(self.prompt_tokens, tokens_of_bytes(self.sent_bytes))
        return _usage(guess, prices, estimated=True)


class Attempts:
    """Makes attempts on behalf of ``owner``, the server's lasting name in the ledger."""

    def __init__(self, ledger: Ledger, owner: str) -> None:
        self._ledger = ledger
        self._owner = owner

    async def make(
        self,
        model: ConfiguredModel,
        order: Order,
        retry_of: str,
        emit: Emit,
        limit: asyncio.Timeout,
    ) -> Ended:
        """Ask the model, handing each text to ``emit``; a model's failure is returned.

        What ``emit`` or the ledger raises, and a cancellation (by ``limit``, for one),
        is raised, after the provider's connection was closed and the call was settled.
        """
        progress = _Progress(tokens_of_prompt(order.prompt.messages))
        call = self._call(model, order.payer, progress.prompt_tokens)
        try:
            await completed(self._open(call, progress))
            await emit(AttemptStarted(call.call_id, model.name, retry_of))
            await _stream(model, order.prompt, progress, emit)
        except DomainError as error:
            if not progress.opened:  # nothing was written that could be settled
                raise
            usage = await self._settle(call, model, progress, error)
            if error.reason not in MODEL_REASONS:
                raise
            return Ended(usage, None, error, progress.sent_bytes > 0)
        except BaseException:  # the time is up, or whoever listened has gone
            if progress.opened:
                late = DomainError(Reason.MODEL_TIMEOUT) if limit.expired() else None
                await self._settle(call, model, progress, late)
            raise
        usage = await self._settle(call, model, progress, None)
        return Ended(usage, progress.end, None, progress.sent_bytes > 0)

    def _call(self, model: ConfiguredModel, payer: Payer, prompt_tokens: int) -> Call:
        expected = _usage(Tokens(prompt_tokens, 0), model.prices_by_now(), estimated=True)
        call_id = CallId(new_id("call"))
        return Call(call_id, payer, model.name, time.time_ns() // 1000, expected)

    async def _open(self, call: Call, progress: _Progress) -> None:
        await self._ledger.open(call, self._owner)
        progress.opened = True

    async def _settle(
        self, call: Call, model: ConfiguredModel, progress: _Progress, error: DomainError | None
    ) -> Usage:
        return await completed(self._write(call, model, progress, error))

    async def _write(
        self, call: Call, model: ConfiguredModel, progress: _Progress, error: DomainError | None
    ) -> Usage:
        """Settle the call; a store that stays away costs the entry, not the answer."""
        duration_ms = round((time.monotonic() - progress.begun) * 1000)
        usage = progress.usage(
            await model.prices(), free=error is not None and error.reason in _FREE
        )
        outcome, reason = _outcome(progress, error)
        settlement = Settlement(outcome, usage, duration_ms, reason)
        for wait_s in (*RETRY_S, None):
            try:
                await self._ledger.settle(call.call_id, settlement)
                break
            except DomainError as failure:
                if wait_s is None:
                    logger.error("call not settled", call_id=call.call_id, why=failure.reason)
                else:
                    await asyncio.sleep(wait_s)
        return usage


async def _stream(model: ConfiguredModel, prompt: Prompt, progress: _Progress, emit: Emit) -> None:
    async with aclosing(model.backend.generate(prompt)) as steps:
        async for step in steps:
            if isinstance(step, ModelEnd):
                progress.end = step
                continue
            if isinstance(step, str):
                progress.sent_bytes += len(step.encode())
            await emit(step)


def _outcome(progress: _Progress, error: DomainError | None) -> tuple[Outcome, str]:
    if error is not None:
        return Outcome.FAILED, error.reason
    return (Outcome.SUCCEEDED if progress.end is not None else Outcome.CANCELLED), ""


def _usage(tokens: Tokens, prices: Prices | None, *, estimated: bool) -> Usage:
    cost = prices.cost(tokens) if prices is not None else None
    return Usage(tokens.input, tokens.output, estimated, cost)


__all__ = ["Attempts", "Emit", "Ended", "MODEL_REASONS"]
