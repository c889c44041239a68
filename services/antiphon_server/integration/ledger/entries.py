"""Calls of tools, and what people send: each an entry in the ledger, which may have a price."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    TOOL_CALL,
    Call,
    Foreseen,
    Money,
    Most,
    Outcome,
    Payer,
    Quantities,
    Settlement,
    Usage,
)
from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.errors import DomainError, Reason

_NOTHING = Money("USD", 0)
_UNSENT = frozenset(
    {
        Reason.AUTHORIZATION_REQUIRED,
        Reason.CONNECTION_UNAVAILABLE,
        Reason.DRAINING,
        Reason.EGRESS_DENIED,
        Reason.TOOL_HELD,
        Reason.TOOL_NOT_FOUND,
    }
)
"""Whoever fails so was not asked, and has no price."""


@dataclass(slots=True)
class Entry:
    """An entry: what the block says in ``outcome`` counts, unless it raises another.

    One that is ``free`` in the end costs nothing, nor does one that was not sent. ``took_s`` and
    how it ended in the end are known after the block.
    """

    outcome: Outcome | None = None
    reason: str = ""
    took_s: float = 0.0
    free: bool = False


@asynccontextmanager
async def entered(
    calls: PricedCalls,
    payer: Payer,
    target: str,
    entry: Entry | None = None,
    price: Money | None = None,
) -> AsyncIterator[Entry]:
    """Write down that the block is about to call ``target``, and after it how that ended.

    The ``price`` is reserved in budgets that hold: raises DomainError BUDGET_EXCEEDED,
    PRICE_UNKNOWN. Whoever is cancelled while it is written down leaves no entry open.
    """
    entry, began = entry or Entry(), time.monotonic()
    opened: list[Call] = []
    cost = price or _NOTHING

    async def begin() -> None:
        foreseen = Foreseen(_usage(cost))
        opened.append(await calls.open(payer, TOOL_CALL, target, lambda: foreseen, most))

    async def most() -> Most:
        return Most(0, cost, free=not cost.micros)

    ends, reason, sent = Outcome.CANCELLED, "", False
    try:
        await completed(begin())
        sent = True
        yield entry
        ends = Outcome.SUCCEEDED
    except DomainError as error:
        ends, reason = Outcome.FAILED, error.reason.value
        raise
    except Exception:
        ends, reason = Outcome.FAILED, Reason.INTERNAL.value
        raise
    finally:
        if entry.outcome is None:
            entry.outcome, entry.reason = ends, reason
        entry.took_s = time.monotonic() - began
        took_ms = round(entry.took_s * 1000)
        for call in opened:
            made = sent and entry.reason not in _UNSENT
            used = _usage(cost if made and not entry.free else _NOTHING)
            settlement = Settlement(entry.outcome, used, took_ms, entry.reason, made=made)
            await completed(calls.settle(call, settlement))


def _usage(cost: Money) -> Usage:
    return Usage(Quantities(), False, cost)
