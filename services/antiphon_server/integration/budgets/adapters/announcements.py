"""What is told of budgets: in the logs of their workspaces, and to those who run the server."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc

from antiphon.events.v1.event_pb2 import BudgetOverrun, BudgetWarned, Event
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon.integration.v1 import budget_pb2 as pb
from antiphon_server.integration.budgets.model import GLOBAL, Budget, Standing
from antiphon_server.integration.ledger.model import CallId, Overrun, Payer
from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import TURN
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.telemetry.structured import structlog

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

INTEGRATION = "services/integration"
TIMEOUT_S = 5.0
logger = structlog.get_logger(__name__)


class Announcements:
    """See :class:`~antiphon_server.integration.budgets.ports.Told`.

    The installation's budgets are nobody's workspace's, and are logged alone. What can't be told
    within seconds is not told later: ListBudgets says what is so.
    """

    def __init__(
        self,
        events: "EventServiceAsyncStub",
        budget: Callable[[Budget], pb.Budget],
        state: Callable[[Budget, Standing], pb.BudgetState],
    ) -> None:
        self._events, self._budget, self._state = events, budget, state

    async def warned(self, budget: Budget, payer: Payer, standing: Standing) -> None:
        use, limit = standing.use, budget.terms.limit
        told = {"spent": use.spent, "reserved": use.reserved, "limit": limit}
        logger.warning("little of a budget is left", **_named(budget), **told)
        about = BudgetWarned(budget=self._budget(budget), state=self._state(budget, standing))
        await self._tell(budget, Event(actor=INTEGRATION, budget_warned=about))

    async def overran(self, budget: Budget, call_id: CallId, overrun: Overrun) -> None:
        told = {"call": call_id, "reserved": overrun.reserved, "spent": overrun.spent}
        logger.warning("a call consumed more than was reserved", **_named(budget), **told)
        about = BudgetOverrun(
            budget=self._budget(budget),
            call_id=call_id,
            reserved=overrun.reserved,
            spent=overrun.spent,
        )
        await self._tell(budget, Event(actor=INTEGRATION, budget_overrun=about))

    async def _tell(self, budget: Budget, event: Event) -> None:
        if budget.parent == GLOBAL:
            return
        scope, once = f"workspaces/{budget.parent}", new_id("told")
        request = AppendRequest(scope=scope, events=[event], request_id=once)

        async def append() -> None:
            with remote_errors("events"):
                await self._events.Append(request, timeout=TIMEOUT_S)

        try:
            await retrying(append, TURN, DomainError)
        except (DomainError, grpc.aio.UsageError) as error:
            logger.warning("a budget's event could not be told", why=str(error), **_named(budget))


def _named(budget: Budget) -> dict[str, str]:
    return {"budget": budget.name, "parent": budget.parent}
