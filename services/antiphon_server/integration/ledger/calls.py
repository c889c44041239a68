"""Calls written down before they are made, and settled after."""

import asyncio
import time

from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    CallKind,
    Payer,
    Settlement,
    Usage,
)
from antiphon_server.integration.ledger.ports import Ledger
from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import TURN
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.telemetry.structured import structlog

MAX_LATE = 1000
"""How many settlements wait for a store that is away, at most."""

logger = structlog.get_logger(__name__)


class PricedCalls:
    """Calls made on behalf of ``owner``, the server's lasting name in the ledger."""

    def __init__(self, ledger: Ledger, owner: str) -> None:
        self._ledger = ledger
        self._owner = owner
        self._late: dict[CallId, Settlement] = {}

    async def open(self, payer: Payer, kind: CallKind, target: str, expected: Usage) -> Call:
        """Commit that ``target`` is about to be called; returns the call with its id."""
        now_us = time.time_ns() // 1000
        call = Call(CallId(new_id("call")), payer, kind, target, now_us, expected)
        await self._ledger.open(call, self._owner)
        return call

    async def settle(self, call: Call, settlement: Settlement) -> None:
        """Commit how it ended; a store that stays away delays the entry, and not the answer.

        The entry is written with the next one that the store takes.
        """
        try:
            await retrying(lambda: self._ledger.settle(call.call_id, settlement), TURN, DomainError)
        except DomainError as failure:
            logger.warning("call not settled yet", call_id=call.call_id, why=failure.reason)
            self._keep(call.call_id, settlement)
        else:
            await self._settle_what_is_late()

    async def _settle_what_is_late(self) -> None:
        if late := self._late:
            self._late = {}
            await asyncio.gather(*(self._settle_late(*each) for each in late.items()))

    async def _settle_late(self, call_id: CallId, settlement: Settlement) -> None:
        try:
            await self._ledger.settle(call_id, settlement)
        except DomainError:
            self._keep(call_id, settlement)

    def _keep(self, call_id: CallId, settlement: Settlement) -> None:
        self._late[call_id] = settlement
        if len(self._late) > MAX_LATE:
            oldest = next(iter(self._late))
            del self._late[oldest]
            logger.error("call not settled", call_id=oldest)
