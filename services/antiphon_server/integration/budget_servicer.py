"""BudgetService: the contract's messages <-> the budgets."""

from typing import Any, TypeAlias

import grpc

from antiphon.integration.v1 import budget_service_pb2 as pb
from antiphon.integration.v1.budget_service_pb2_grpc import BudgetServiceServicer
from antiphon_server.integration import budget_encoding as encoding
from antiphon_server.integration import spending_encoding
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.model import GLOBAL, BudgetName, Parent, Scope, Subject
from antiphon_server.integration.budgets.spending import Spending
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.access.permissions import Permission, Rule, rule_for
from antiphon_server.runtime.access.permissions import Scope as Scopes
from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.access.rules import AccessPolicy
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.paging import after_name, encode_page_token, page_limit

_READS = rule_for(Permission.READ)
_MANAGES = Rule(Permission.MANAGE, scope=Scopes.READ)
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class BudgetServicer(BudgetServiceServicer):
    """Serves budgets, and what was spent."""

    def __init__(
        self, budgets: Budgets, spending: Spending, trail: TrailRelay, policy: AccessPolicy
    ) -> None:
        self._budgets, self._spending, self._trail = budgets, spending, trail
        self._policy = policy

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
        parent, of = _readable(request.parent), encoding.subject(request)
        await self._check(parent, of)
        listed, limit = f"budgets of {parent} {request.subject}", page_limit(request.page_size)
        after = after_name(request.page_token, listed)
        found = await self._budgets.listed(parent, after, limit + 1, of)
        more = len(found) > limit
        return pb.ListBudgetsResponse(
            budgets=encoding.uses(found[:limit]),
            next_page_token=encode_page_token(listed, found[limit - 1].budget.name) if more else "",
        )

    async def _check(self, parent: Parent, of: Subject | None) -> None:
        """Raises DomainError if what that one uses by itself is not the caller's business."""
        caller = current_principal()
        if of is None or of.name == caller.user_id or caller.kind == "service":
            return
        is_talk = of.scope is Scope.CONVERSATION
        rule, resource = (_READS, of.name) if is_talk else (_MANAGES, str(parent))
        if parent != GLOBAL:  # whose sums operators alone may read
            enforce(await self._policy.decide(caller, rule, resource))

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
