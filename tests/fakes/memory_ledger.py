"""The ledger in memory."""

from collections import OrderedDict
from dataclasses import replace

from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    Outcome,
    SettledCall,
    Settlement,
    Usage,
    UsageFilter,
    total,
)

MAX_CALLS = 100_000


class MemoryLedger:
    """A :class:`~antiphon_server.integration.ledger.ports.Ledger`; forgets the oldest calls."""

    def __init__(self) -> None:
        self._open: OrderedDict[CallId, tuple[Call, str]] = OrderedDict()
        self._settled: OrderedDict[CallId, SettledCall] = OrderedDict()

    async def open(self, call: Call, owner: str) -> None:
        """See :meth:`Ledger.open`."""
        self._open[call.call_id] = (call, owner)
        if len(self._open) > MAX_CALLS:
            self._open.popitem(last=False)

    async def settle(self, call_id: CallId, settlement: Settlement) -> None:
        """See :meth:`Ledger.settle`."""
        known = self._settled.get(call_id)
        if known is not None and known.settlement.outcome is Outcome.UNKNOWN:
            self._settled[call_id] = replace(known, settlement=settlement)
        call, _ = self._open.pop(call_id, (None, ""))
        if call is None:
            return
        self._settled[call_id] = SettledCall(
            call_id, call.payer, call.kind, call.target, call.start_us, settlement
        )
        if len(self._settled) > MAX_CALLS:
            self._settled.popitem(last=False)

    async def abandon(self, owner: str) -> int:
        """See :meth:`Ledger.abandon`."""
        left = [call for call, opened_by in self._open.values() if opened_by == owner]
        for call in left:
            await self.settle(call.call_id, Settlement(Outcome.UNKNOWN, call.expected, 0))
        return len(left)

    async def calls(
        self, wanted: UsageFilter, before: tuple[int, CallId] | None, limit: int
    ) -> list[SettledCall]:
        """See :meth:`Ledger.calls`."""
        found = [
            call
            for call in self._matching(wanted)
            if before is None or (call.start_us, call.call_id) < before
        ]
        found.sort(key=lambda call: (call.start_us, call.call_id), reverse=True)
        return found[:limit]

    async def total(self, wanted: UsageFilter) -> Usage:
        """See :meth:`Ledger.total`."""
        return total(call.settlement.usage for call in self._matching(wanted))

    async def close(self) -> None:
        """See :meth:`Ledger.close`."""

    def _matching(self, wanted: UsageFilter) -> list[SettledCall]:
        return [
            call
            for call in self._settled.values()
            if call.payer.workspace_id == wanted.workspace_id
            and wanted.start_us <= call.start_us < wanted.end_us
            and wanted.turn_id in ("", call.payer.turn_id)
            and wanted.conversation_id in ("", call.payer.conversation_id)
        ]
