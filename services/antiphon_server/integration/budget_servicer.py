"""BudgetService: the contract's messages <-> the budgets."""

from typing import Any, TypeAlias

import grpc

from antiphon.integration.v1 import budget_service_pb2 as pb
from antiphon.integration.v1.budget_service_pb2_grpc import BudgetServiceServicer
from antiphon_server.integration import budget_encoding as encoding
from antiphon_server.integration import spending_encoding
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.model import GLOBAL, BudgetName, Parent
from antiphon_server.integration.budgets.spending import Spending
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.paging import after_name, encode_page_token, page_limit

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class BudgetServicer(BudgetServiceServicer):
    """Serves budgets, and what was spent."""

    def __init__(self, budgets: Budgets, spending: Spending, trail: TrailRelay) -> None:
        self._budgets, self._spending, self._trail = budgets, spending, trail

    async def PutBudget(
        self, request: pb.PutBudgetRequest, context: Context
    ) -> pb.PutBudgetResponse:
        wanted, seen = encoding.wanted(request), encoding.seen(request)
        budget = await self._budgets.put(Parent(request.parent), *wanted, seen)
        await self._trail.tell()
        return pb.PutBudgetResponse(budget=encoding.encoded(budget))

    async def DeleteBudget(
        self, request: pb.DeleteBudgetRequest, context: Context
    ) -> pb.DeleteBudgetResponse:
        await self._budgets.delete(Parent(request.parent), BudgetName(request.name))
        await self._trail.tell()
        return pb.DeleteBudgetResponse()

    async def ListBudgets(
        self, request: pb.ListBudgetsRequest, context: Context
    ) -> pb.ListBudgetsResponse:
        parent = _readable(request.parent)
        listed, limit = f"budgets of {parent}", page_limit(request.page_size)
        after = after_name(request.page_token, listed)
        found = await self._budgets.listed(parent, after, limit + 1)
        more = len(found) > limit
        return pb.ListBudgetsResponse(
            budgets=encoding.uses(found[:limit]),
            next_page_token=encode_page_token(listed, found[limit - 1].budget.name) if more else "",
        )

    async def GetSpending(
        self, request: pb.GetSpendingRequest, context: Context
    ) -> pb.GetSpendingResponse:
        asked = spending_encoding.asked(request, _readable(request.parent))
        groups, token = await self._spending.page(asked)
        return pb.GetSpendingResponse(
            groups=[spending_encoding.spending(it, asked.keys) for it in groups],
            next_page_token=token,
        )


def _readable(parent: str) -> Parent:
    """The parent, if what it spends is the caller's business; that of all, operators' alone.

    Raises DomainError PERMISSION_DENIED.
    """
    caller = current_principal()
    if parent == GLOBAL and not caller.operates and caller.kind != "service":
        raise DomainError(Reason.PERMISSION_DENIED, permission=Permission.OPERATE.name)
    return Parent(parent)
