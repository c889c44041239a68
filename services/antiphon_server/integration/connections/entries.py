"""What people send by connections, each time one entry in the ledger."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    TOOL_CALL,
    Money,
    Outcome,
    Payer,
    Quantities,
    Settlement,
    Usage,
    WorkspaceId,
)
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.errors import DomainError, Reason

_FREE = Usage(Quantities(), False, Money("USD", 0))


@dataclass(slots=True)
class Entry:
    """An entry that is open; what is in ``outcome`` counts, however the block ends."""

    outcome: Outcome | None = None
    reason: str = ""


@asynccontextmanager
async def entered(calls: PricedCalls, workspace_id: str, name: SourceName) -> AsyncIterator[Entry]:
    """Write down that the block is about to send, and after it how that ended."""
    payer, began, entry = Payer(WorkspaceId(workspace_id)), time.monotonic(), Entry()
    call = await completed(calls.open(payer, TOOL_CALL, name, _FREE))
    outcome, reason = Outcome.CANCELLED, ""
    try:
        yield entry
        outcome = Outcome.SUCCEEDED
    except DomainError as error:
        outcome, reason = Outcome.FAILED, error.reason.value
        raise
    except Exception:
        outcome, reason = Outcome.FAILED, Reason.INTERNAL.value
        raise
    finally:
        if entry.outcome is not None:
            outcome, reason = entry.outcome, entry.reason
        took = round((time.monotonic() - began) * 1000)
        await completed(calls.settle(call, Settlement(outcome, _FREE, took, reason)))
