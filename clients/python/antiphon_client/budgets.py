"""Budgets: how much the calls of a workspace, or of the installation, may take."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from antiphon.integration.v1 import budget_service_pb2 as messages
from antiphon.integration.v1.budget_pb2 import Budget
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.integration.v1.budget_service_pb2_grpc import BudgetServiceAsyncStub

INSTALLATION = "global"
"""The parent of budgets that count the calls of all workspaces."""


class Budgets:
    """The budget service; a parent is a workspace's id or INSTALLATION.

    Errors: AntiphonError, as each RPC's comment says.
    """

    _budgets: "BudgetServiceAsyncStub"
    _caller: Caller

    async def put_budget(self, parent: str, budget: Budget) -> Budget:
        """Make a budget, or change the one of that name."""
        request = messages.PutBudgetRequest(parent=parent, budget=budget)
        return (await self._caller.call(self._budgets.PutBudget, request)).budget

    async def delete_budget(self, parent: str, name: str) -> None:
        """Remove one."""
        request = messages.DeleteBudgetRequest(parent=parent, name=name)
        await self._caller.call(self._budgets.DeleteBudget, request)

    def list_budgets(self, parent: str) -> AsyncGenerator[messages.BudgetUse]:
        """A parent's budgets by name, with how much of the present window is used."""

        async def fetch(page_token: str) -> messages.ListBudgetsResponse:
            request = messages.ListBudgetsRequest(parent=parent, page_token=page_token)
            return await self._caller.call(self._budgets.ListBudgets, request)

        return pages(fetch, lambda page: page.budgets)
