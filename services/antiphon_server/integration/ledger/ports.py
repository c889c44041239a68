"""What the ledger needs from outside."""

from typing import Protocol

from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    SettledCall,
    Settlement,
    Usage,
    UsageFilter,
)


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

        Their usage is what was expected of them.
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
