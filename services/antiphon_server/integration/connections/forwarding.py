"""Requests that people send by connections, each of which is one in the ledger."""

import time

from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.model import Answered, Forwarded
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


class Forwarding:
    """Forwards by those connections that a workspace may use."""

    def __init__(self, connections: Connections, calls: PricedCalls) -> None:
        self._connections, self._calls = connections, calls

    async def forward(self, workspace_id: str, name: SourceName, request: Forwarded) -> Answered:
        """Send it, and return its answer. Cancelling it closes what it uses.

        Raises DomainError NOT_FOUND, CONNECTION_UNAVAILABLE for one that is disabled, and what
        its link raises.
        """
        found = await self._connections.get(workspace_id, name)
        if found.connection.disabled:
            raise DomainError(Reason.CONNECTION_UNAVAILABLE, connection=name, state="DISABLED")
        payer, began = Payer(WorkspaceId(workspace_id)), time.monotonic()
        entry = await completed(self._calls.open(payer, TOOL_CALL, name, _FREE))
        outcome, reason = Outcome.CANCELLED, ""
        try:
            answer = await found.forward(request)
            outcome = Outcome.SUCCEEDED
        except DomainError as error:
            outcome, reason = Outcome.FAILED, error.reason.value
            raise
        except Exception:
            outcome, reason = Outcome.FAILED, Reason.INTERNAL.value
            raise
        finally:
            took = round((time.monotonic() - began) * 1000)
            settlement = Settlement(outcome, _FREE, took, reason)
            await completed(self._calls.settle(entry, settlement))
        return answer
