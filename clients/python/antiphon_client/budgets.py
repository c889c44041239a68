"""Budgets: how much the calls of a workspace, or of the installation, may take, and took."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from antiphon.integration.v1 import budget_service_pb2 as messages
from antiphon.integration.v1.budget_pb2 import Budget
from antiphon.integration.v1.spending_pb2 import Spending, SpendingKey
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

    async def put_budget(self, parent: str, budget: Budget, *, must_be_new: bool = False) -> Budget:
        """Make a budget, or change the one of that name: that with its ``etag``, if it has one."""
        request = messages.PutBudgetRequest(parent=parent, budget=budget, must_be_new=must_be_new)
        return (await self._caller.call(self._budgets.PutBudget, request)).budget

    async def delete_budget(self, parent: str, name: str) -> None:
        """Remove one."""
        request = messages.DeleteBudgetRequest(parent=parent, name=name)
        await self._caller.call(self._budgets.DeleteBudget, request)

    def list_budgets(self, parent: str, subject: str = "") -> AsyncGenerator[messages.BudgetUse]:
        """A parent's budgets by name, with how much of the present window is used.

        With the id of a user or conversation, those in which that one has a sum of its own.
        """

        async def fetch(page_token: str) -> messages.ListBudgetsResponse:
            request = messages.ListBudgetsRequest(
                parent=parent, page_token=page_token, subject=subject
            )
            return await self._caller.call(self._budgets.ListBudgets, request)

        return pages(fetch, lambda page: page.budgets)

    def spending(
        self,
        parent: str,
        group_by: Sequence["SpendingKey.ValueType"] = (),
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        time_zone: str = "",
    ) -> AsyncGenerator[Spending]:
        """What the calls took that began from ``since`` until before ``until``, in groups.

        Both are aware times; without, it is the last 30 days. Days begin in ``time_zone``.
        """
        wanted = messages.GetSpendingRequest(parent=parent, group_by=group_by, time_zone=time_zone)
        if since is not None:
            wanted.start_time.FromDatetime(since)
        if until is not None:
            wanted.end_time.FromDatetime(until)

        async def fetch(page_token: str) -> messages.GetSpendingResponse:
            wanted.page_token = page_token
            return await self._caller.call(self._budgets.GetSpending, wanted)

        return pages(fetch, lambda page: page.groups)
