"""Calls that cost nothing, each an entry in the ledger: what tools do, and what people send."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    TOOL_CALL,
    Call,
    Money,
    Outcome,
    Payer,
    Quantities,
    Settlement,
    Usage,
)
from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.errors import DomainError, Reason

_FREE = Usage(Quantities(), False, Money("USD", 0))


@dataclass(slots=True)
class Entry:
    """An entry: what the block says in ``outcome`` counts, unless it raises another.

    ``took_s`` and how it ended in the end are known after the block.
    """

    outcome: Outcome | None = None
    reason: str = ""
    took_s: float = 0.0


@asynccontextmanager
async def entered(
    calls: PricedCalls, payer: Payer, target: str, entry: Entry | None = None
) -> AsyncIterator[Entry]:
    """Write down that the block is about to call ``target``, and after it how that ended.

    Whoever is cancelled while it is written down leaves no entry open.
    """
    entry, began = entry or Entry(), time.monotonic()
    opened: list[Call] = []

    async def begin() -> None:
        opened.append(await calls.open(payer, TOOL_CALL, target, _FREE))

    ends, reason = Outcome.CANCELLED, ""
    try:
        await completed(begin())
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
            settlement = Settlement(entry.outcome, _FREE, took_ms, entry.reason)
            await completed(calls.settle(call, settlement))
