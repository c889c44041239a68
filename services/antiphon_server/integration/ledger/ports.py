"""What the ledger needs from outside."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from antiphon_server.integration.ledger.model import (
    BudgetExceeded,
    Call,
    CallId,
    CallKind,
    Charge,
    Most,
    Overrun,
    Payer,
    Reached,
    SettledCall,
    Settlement,
    UnsettledCall,
    Usage,
    UsageFilter,
    WindowFull,
)


class Ledger(Protocol):
    """Keeps what every call consumed."""

    async def open(self, call: Call, owner: str) -> Sequence[Reached]:
        """Commit that ``owner`` (a server's lasting name) is about to make the call.

        All that it may take is reserved with it. Raises WindowFull: nothing is stored then.
        """
        ...

    async def check(self, charges: Sequence[Charge]) -> None:
        """Raise WindowFull if a call with those charges does not fit now; nothing is reserved."""
        ...

    async def settle(
        self, call_id: CallId, settlement: Settlement, charges: Sequence[Charge] = ()
    ) -> Sequence[Overrun]:
        """Commit how the call ended. The first settlement stands, unless it was given up.

        What it consumed is booked in the windows where its ``charges`` were reserved, and the rest
        is free again.
        """
        ...

    async def withdraw(self, call: Call, owner: str) -> None:
        """Settle as never made a call of which nobody knows whether it is open.

        A commit of that may be under way still, and is waited for; if there is none, nothing is
        stored.
        """
        ...

    async def abandon(self, owner: str) -> int:
        """Settle as UNKNOWN what an earlier process of ``owner`` left open; returns how many.

        Their usage is what was expected of them, and what is reserved beyond that is free again.
        """
        ...

    async def newest_unsettled(
        self, payer: Payer, kind: CallKind, since_us: int
    ) -> UnsettledCall | None:
        """The newest call of a turn, of that kind and not before ``since_us``.

        None if its server has settled it. One that was given up is not settled by that.
        """
        ...

    async def expect(self, call_id: CallId, usage: Usage) -> Sequence[Overrun]:
        """Commit that a call which its server has not settled has consumed at least that.

        What it has said is what counts: nothing is done where as much is expected of it already.
        One that was given up is booked by that; of one that is open all stays reserved.
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


class Limits(Protocol):
    """What calls may take, by the budgets that hold for them."""

    async def charges(
        self, payer: Payer, kind: CallKind, target: str, most: Callable[[], Awaitable[Most]]
    ) -> Sequence[Charge]:
        """What is to be reserved; ``most`` is asked only if some budget holds.

        Raises DomainError PRICE_UNKNOWN.
        """
        ...

    def refusal(self, full: WindowFull) -> BudgetExceeded:
        """Why, with all that those who call may know."""
        ...

    def reached(self, call: Call, reached: Sequence[Reached]) -> None:
        """Tell that windows have little left, and wait for nobody."""
        ...

    def overrun(self, call_id: CallId, overruns: Sequence[Overrun]) -> None:
        """Tell that a call consumed more than was reserved, and wait for nobody.

        Of what was given up before only what is beyond its window's limit.
        """
        ...
