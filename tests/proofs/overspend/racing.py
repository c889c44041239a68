"""Calls that all begin at once, by one server's ledger and budgets."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.charging import Charging
from antiphon_server.integration.budgets.model import Budget, Standing
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    BudgetExceeded,
    Call,
    CallId,
    Foreseen,
    Money,
    Most,
    Outcome,
    Overrun,
    Payer,
    Quantities,
    Settlement,
    Usage,
    WorkspaceId,
)
from antiphon_server.runtime.storage.database import Database
from tests.proofs.overspend.defects import LEDGERS

WORKSPACES, USERS = 2, 2
LEAST, MOST = 500, 1500
TAKES_ALL = 0.8
"""The share of calls that consume all that was reserved for them."""
LONGEST_S = 0.03
TRIES = 5
"""How often a call is tried: others may have left something meanwhile."""


@dataclass(slots=True)
class Served:
    """What an endpoint served, by who paid; ``refused`` calls never came to it.

    ``edges`` are refusals by the scope that had too little left.
    """

    made: int = 0
    refused: int = 0
    micros: Counter[str] = field(default_factory=Counter)
    edges: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Served") -> None:
        """Of another server, too."""
        self.made += other.made
        self.refused += other.refused
        self.micros += other.micros
        self.edges += other.edges

    def as_json(self) -> dict[str, Any]:
        """To be told by another process."""
        return {name: getattr(self, name) for name in self.__slots__}


class Unheard:
    """Nobody is told of budgets; see :class:`~…budgets.ports.Told`."""

    async def warned(self, budget: Budget, payer: Payer, standing: Standing) -> None:
        """Little is left."""

    async def overran(self, budget: Budget, call_id: CallId, overrun: Overrun) -> None:
        """More was taken than reserved."""


class Racing:
    """A server's ledger and budgets, and the endpoint that its calls come to."""

    def __init__(self, database: Database, owner: str, ledger: str) -> None:
        self.ledger = LEDGERS[ledger](database)
        self.budgets = Budgets(SqlBudgets(database))
        self._charging = Charging(self.budgets, Unheard())
        self._calls = PricedCalls(self.ledger, owner, self._charging)
        self._owner = owner

    async def race(self, run: str, calls: int) -> Served:
        """Begin that many calls at once, and wait for them all."""
        chance, served = random.Random(f"{run} {self._owner}"), Served()
        await asyncio.gather(*(self._one(run, chance, served) for _ in range(calls)))
        return served

    async def close(self) -> None:
        """Wait for what is on its way."""
        await self._charging.close()
        await self.ledger.close()

    async def _one(self, run: str, chance: random.Random, served: Served) -> None:
        payer = _payer(run, chance)
        most = chance.randint(LEAST, MOST)
        takes = most if chance.random() < TAKES_ALL else chance.randint(0, most)
        lasts_s = chance.uniform(0, LONGEST_S)

        async def reserved() -> Most:
            return Most(most, Money("USD", most))

        call = await self._opened(payer, reserved, served)
        if call is None:
            served.refused += 1
            return
        await asyncio.sleep(lasts_s)
        served.made += 1
        for who in ("", payer.workspace_id, payer.user_id, *payer.api_keys[:1]):
            served.micros[who] += takes
        await self._calls.settle(call, Settlement(Outcome.SUCCEEDED, costing(takes), 1))

    async def _opened(
        self, payer: Payer, most: Callable[[], Awaitable[Most]], served: Served
    ) -> Call | None:
        """Try some times; None if all is taken."""
        for _ in range(TRIES):
            try:
                return await self._calls.open(
                    payer, MODEL_CALL, "a/model", lambda: Foreseen(costing(0)), most
                )
            except BudgetExceeded as full:
                served.edges[full.metadata["scope"]] += 1
            await asyncio.sleep(random.uniform(0, LONGEST_S))
        return None


def _payer(run: str, chance: random.Random) -> Payer:
    """Half of all calls are of keys; each user has one, with which they have made another."""
    workspace, user = workspace_of(run, chance.randrange(WORKSPACES)), chance.randrange(USERS)
    user_id = f"user_{workspace}_{user}"
    keys = f"key_{user_id}", f"key_{user_id}_made"
    with_keys = keys[: chance.choice((0, 0, 1, 2))]
    return Payer(workspace, "conv_00000001", "turn_00000001", user_id, with_keys)


def workspace_of(run: str, number: int) -> WorkspaceId:
    """One of the run's."""
    return WorkspaceId(f"ws_{run}_{number}")


def _foreseen() -> Foreseen:
    return Foreseen(costing(0))


def costing(micros: int) -> Usage:
    """So many tokens, each a millionth."""
    return Usage(Quantities(micros), False, Money("USD", micros))
