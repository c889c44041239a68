"""Calls written down before they are made, and settled after."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    CallKind,
    Money,
    Most,
    Outcome,
    Payer,
    Quantities,
    Settlement,
    Usage,
    WindowFull,
)
from antiphon_server.integration.ledger.ports import Ledger, Limits
from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import TURN
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.telemetry.structured import structlog


async def no_tokens() -> Most:
    """What a call consumes that has no price."""
    return Most(0, Money("USD", 0))


_FREE = Usage(Quantities(), False, Money("USD", 0))
_NEVER_MADE = Settlement(Outcome.CANCELLED, _FREE, 0)
MAX_LATE = 1000
"""How many settlements wait for a store that is away, at most."""

logger = structlog.get_logger(__name__)


class PricedCalls:
    """Calls made on behalf of ``owner``, the server's lasting name in the ledger."""

    def __init__(self, ledger: Ledger, owner: str, limits: Limits | None = None) -> None:
        self._ledger = ledger
        self._owner = owner
        self._limits = limits
        self._late: dict[CallId, tuple[Call, Settlement]] = {}

    async def open(
        self,
        payer: Payer,
        kind: CallKind,
        target: str,
        expected: Usage,
        most: Callable[[], Awaitable[Most]] = no_tokens,
    ) -> Call:
        """Commit that ``target`` is about to be called; returns the call with its id.

        ``most`` is what it may consume, which is reserved in all budgets that hold for it. Raises
        DomainError BUDGET_EXCEEDED, PRICE_UNKNOWN.
        """
        limits = self._limits
        charges = tuple(await limits.charges(payer, target, most)) if limits else ()
        now_us = time.time_ns() // 1000
        call = Call(CallId(new_id("call")), payer, kind, target, now_us, expected, charges)
        if limits is None or not charges:
            await self._ledger.open(call, self._owner)
        else:
            await self._reserve(call, limits)
        return call

    async def _reserve(self, call: Call, limits: Limits) -> None:
        try:
            reached = await self._ledger.open(call, self._owner)
        except WindowFull as full:
            raise limits.refusal(full) from None
        except DomainError as error:
            if error.reason is Reason.SERVICE_UNAVAILABLE:  # it may be open, and is never made
                self._keep(call, _NEVER_MADE)
            raise
        limits.reached(call, reached)

    async def settle(self, call: Call, settlement: Settlement) -> None:
        """Commit how it ended; a store that stays away delays the entry, and not the answer.

        The entry is written with the next one that the store takes.
        """
        try:
            await retrying(lambda: self._settle(call, settlement), TURN, DomainError)
        except DomainError as failure:
            logger.warning("call not settled yet", call_id=call.call_id, why=failure.reason)
            self._keep(call, settlement)
        else:
            await self._settle_what_is_late()

    async def _settle(self, call: Call, settlement: Settlement) -> None:
        charged = bool(call.charges)
        overruns = await self._ledger.settle(call.call_id, settlement, charged=charged)
        if overruns and self._limits is not None:
            self._limits.overrun(call, overruns)

    async def _settle_what_is_late(self) -> None:
        if late := self._late:
            self._late = {}
            await asyncio.gather(*(self._settle_late(*each) for each in late.values()))

    async def _settle_late(self, call: Call, settlement: Settlement) -> None:
        try:
            await self._settle(call, settlement)
        except DomainError:
            self._keep(call, settlement)

    def _keep(self, call: Call, settlement: Settlement) -> None:
        self._late[call.call_id] = (call, settlement)
        if len(self._late) > MAX_LATE:
            oldest = next(iter(self._late))
            del self._late[oldest]
            logger.error("call not settled", call_id=oldest)
