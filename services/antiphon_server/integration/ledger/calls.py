"""Calls written down before they are made, and settled after."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    CallKind,
    Foreseen,
    Money,
    Most,
    Payer,
    Settlement,
    UnsettledCall,
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


MAX_LATE = 1000
"""While so many settlements wait for a store that is away, no more calls are begun."""
LATE_S = 1.0
"""How often what waits is tried again."""
CLOSING_S = 5.0
"""How long a server that stops waits for a store that is away."""

logger = structlog.get_logger(__name__)


class PricedCalls:
    """Calls made on behalf of ``owner``, the server's lasting name in the ledger.

    :meth:`run` settles what the store did not take in time: as long as that is not there, what was
    reserved for it is nobody's.
    """

    def __init__(self, ledger: Ledger, owner: str, limits: Limits | None = None) -> None:
        self._ledger = ledger
        self._owner = owner
        self._limits = limits
        self._late: dict[CallId, tuple[Call, Settlement | None]] = {}
        self._some_late, self._settling_late = asyncio.Event(), asyncio.Lock()

    async def open(
        self,
        payer: Payer,
        kind: CallKind,
        target: str,
        foreseen: Callable[[], Foreseen],
        most: Callable[[], Awaitable[Most]] = no_tokens,
    ) -> Call:
        """Commit that ``target`` is about to be called; returns the call with its id.

        ``most`` is what it may consume, which is reserved in all budgets that hold for it; if it
        waits for prices, ``foreseen`` is asked when they are there. Raises DomainError
        BUDGET_EXCEEDED, PRICE_UNKNOWN, OVERLOADED.
        """
        if len(self._late) >= MAX_LATE:
            raise DomainError(Reason.OVERLOADED, resource="store", retry_after=LATE_S)
        limits = self._limits
        charges = tuple(await limits.charges(payer, kind, target, most)) if limits else ()
        usage, rated = foreseen()
        now_us = time.time_ns() // 1000
        call = Call(CallId(new_id("call")), payer, kind, target, now_us, usage, charges, rated)
        try:
            reached = await self._ledger.open(call, self._owner)
        except WindowFull as full:
            if limits is None:
                raise
            raise limits.refusal(full) from None
        except DomainError as error:
            if error.reason is Reason.SERVICE_UNAVAILABLE:  # it may be open, and is never made
                self._keep(call, None)
            raise
        if reached and limits is not None:
            limits.reached(call, reached)
        return call

    async def check(
        self, payer: Payer, kind: CallKind, target: str, most: Callable[[], Awaitable[Most]]
    ) -> None:
        """Refuse what :meth:`open` would refuse now: who would have to wait before need not.

        Raises DomainError BUDGET_EXCEEDED, PRICE_UNKNOWN.
        """
        if self._limits is None:
            return
        charges = tuple(await self._limits.charges(payer, kind, target, most))
        try:
            await self._ledger.check(charges)
        except WindowFull as full:
            raise self._limits.refusal(full) from None

    async def run(self) -> None:
        """Settle what is late as soon as the store takes it, until cancelled."""
        while True:
            await self._some_late.wait()
            await asyncio.sleep(LATE_S)
            await self._settle_what_is_late()
            if not self._late:
                self._some_late.clear()

    async def close(self) -> None:
        """Settle what is late, if the store takes it in time: later nobody knows of it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                while self._late:
                    await self._settle_what_is_late()
                    await asyncio.sleep(LATE_S if self._late else 0)
        if self._late:
            logger.warning("calls stay without their end", count=len(self._late))

    async def settle(self, call: Call, settlement: Settlement) -> None:
        """Commit how it ended. A store that is away for seconds delays the entry, not the answer.

        The entry is then written with the next one that the store takes, or by :meth:`run`.
        """
        try:
            await retrying(lambda: self._settle(call, settlement), TURN, DomainError)
        except DomainError as failure:
            logger.warning("call not settled yet", call_id=call.call_id, why=failure.reason)
            self._keep(call, settlement)
        else:
            await self._settle_what_is_late()

    async def _settle(self, call: Call, settlement: Settlement) -> None:
        overruns = await self._ledger.settle(call.call_id, settlement, call.charges)
        if overruns and self._limits is not None:
            self._limits.overrun(call.call_id, overruns)

    async def newest_unsettled(
        self, payer: Payer, kind: CallKind, since_us: int
    ) -> UnsettledCall | None:
        """See :meth:`Ledger.newest_unsettled`."""
        return await self._ledger.newest_unsettled(payer, kind, since_us)

    async def expect(self, call_id: CallId, usage: Usage) -> None:
        """Commit that a call which its server has not settled has consumed at least that."""
        overruns = await self._ledger.expect(call_id, usage)
        if overruns and self._limits is not None:
            self._limits.overrun(call_id, overruns)

    async def _settle_what_is_late(self) -> None:
        if self._late and not self._settling_late.locked():
            async with self._settling_late:
                await asyncio.gather(*(self._settle_late(*it) for it in list(self._late.values())))

    async def _settle_late(self, call: Call, settlement: Settlement | None) -> None:
        with suppress(DomainError):
            if settlement is None:
                await self._ledger.withdraw(call, self._owner)
            else:
                await self._settle(call, settlement)
            self._late.pop(call.call_id, None)

    def _keep(self, call: Call, settlement: Settlement | None) -> None:
        """Remember how it ended; None if it was never made."""
        self._late[call.call_id] = (call, settlement)
        self._some_late.set()
