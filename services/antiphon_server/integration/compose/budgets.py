"""Budgets, and what they let calls take."""

from dataclasses import dataclass

import grpc

from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.integration.v1.budget_service_pb2_grpc import add_BudgetServiceServicer_to_server
from antiphon_server.integration import budget_encoding
from antiphon_server.integration.budget_servicer import BudgetServicer
from antiphon_server.integration.budgets.adapters.announcements import Announcements
from antiphon_server.integration.budgets.adapters.spending import SqlSpending
from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.adapters.windows import SqlWindows
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.charging import Charging
from antiphon_server.integration.budgets.left import BudgetsLeft
from antiphon_server.integration.budgets.pruning import Pruning
from antiphon_server.integration.budgets.spending import Spending
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.access.rules import AccessPolicy
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.storage.database import Database


@dataclass(frozen=True, slots=True)
class ComposedBudgets:
    """The budgets; ``shared`` says whether other servers change them, too."""

    budgets: Budgets
    charging: Charging
    spending: Spending
    pruning: Pruning
    left: BudgetsLeft
    policy: AccessPolicy
    shared: bool

    def register(self, server: grpc.aio.Server, trail: TrailRelay) -> None:
        """Serve them."""
        servicer = BudgetServicer(self.budgets, self.spending, trail, self.policy)
        add_BudgetServiceServicer_to_server(servicer, server)

    async def start(self, lifecycle: Lifecycle) -> None:
        """Read them, look for what others change, and forget what is over."""
        await self.budgets.refresh()
        lifecycle.spawn("integration.pruning", self.pruning.run(), vital=False)
        if self.shared:
            lifecycle.spawn("integration.budgets", self.budgets.run(), vital=False)


def compose_budgets(database: Database, links: Links, policy: AccessPolicy) -> ComposedBudgets:
    """Budgets on a database, of which the events service is told."""
    events = EventServiceStub(links.internal)
    told = Announcements(events, budget_encoding.encoded, budget_encoding.state)
    store = SqlBudgets(database)
    budgets, spending = Budgets(store), Spending(SqlSpending(database))
    pruning, charging = Pruning(store, SqlWindows(database)), Charging(budgets, told)
    rules = budgets, charging, spending, pruning, BudgetsLeft(budgets, store)
    return ComposedBudgets(*rules, policy, database.shared)
