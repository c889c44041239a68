"""What is spent, through the service that has the ledger."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from antiphon.integration.v1.budget_service_pb2 import GetSpendingRequest
from antiphon.integration.v1.spending_pb2 import Spending, SpendingKey
from antiphon_server.anomalies.model import About, Sign, Signal
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.rpc.times import timestamp

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.integration.v1.budget_service_pb2_grpc import BudgetServiceAsyncStub

TIMEOUT_S = 10.0
MOST_PAGES = 10
_PAGE = 1000
_KEYS: Mapping[About, "SpendingKey.ValueType"] = {
    About.USER: SpendingKey.SPENDING_KEY_USER,
    About.CONVERSATION: SpendingKey.SPENDING_KEY_CONVERSATION,
    About.WORKSPACE: SpendingKey.SPENDING_KEY_WORKSPACE,
}


class LedgerSpending:
    """See :class:`~antiphon_server.anomalies.ports.Spending`; of 10,000 subjects at most."""

    def __init__(self, budgets: "BudgetServiceAsyncStub") -> None:
        self._budgets = budgets

    async def spent(self, parent: str, about: About, begin: float, end: float) -> Sequence[Signal]:
        """See :meth:`Spending.spent`."""
        request = GetSpendingRequest(
            parent=parent,
            start_time=timestamp(int(begin * 1e6)),
            end_time=timestamp(int(end * 1e6)),
            group_by=[_KEYS[about]],
            page_size=_PAGE,
        )
        found: list[Signal] = []
        for _ in range(MOST_PAGES):
            with remote_errors("integration"):
                page = await self._budgets.GetSpending(request, timeout=TIMEOUT_S)
            found += [_signal(it, parent, end) for it in page.groups]
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        return found


def _signal(it: Spending, parent: str, at: float) -> Signal:
    workspace = it.workspace_id or (parent if parent.startswith("ws_") else "")
    return Signal(
        Sign.SPENT,
        at,
        user=f"users/{it.user_id}" if it.user_id else "",
        conversation=it.conversation_id,
        workspace=workspace,
        amount=it.usage.input_tokens + it.usage.output_tokens,
    )
