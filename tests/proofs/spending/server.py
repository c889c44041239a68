"""A server's life: its ledger, budgets and calls, on a store that may not say what it did."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from sqlalchemy import Connection

from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.adapters.windows import SqlWindows
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.charging import Charging
from antiphon_server.integration.budgets.pruning import Pruning
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.models.attempt import Attempts
from antiphon_server.integration.models.lost import LostAnswers
from antiphon_server.runtime.errors import unavailable
from antiphon_server.runtime.storage.database import Database
from tests.proofs.overspend.racing import Unheard
from tests.proofs.properties.life import Life, MortalDatabase
from tests.proofs.spending.endpoint import Market

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kinds:
    """What servers are made of; those with a planted defect have another part."""

    ledger: type[SqlLedger] = SqlLedger
    calls: type[PricedCalls] = PricedCalls
    attempts: type[Attempts] = Attempts
    lost: type[LostAnswers] = LostAnswers
    windows: type[SqlWindows] = SqlWindows


class Faulty:
    """A database that can be halted, and lose answers; see :class:`Database`."""

    shared = True

    def __init__(self, inner: MortalDatabase, chance: Random) -> None:
        self._inner, self._chance = inner, chance
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.lost = 0

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """See :meth:`Database.write`."""
        await self.goes_on.wait()
        if not self.lost:
            return await self._inner.write(work, short=short)
        self.lost -= 1
        if self._chance.random() < 0.7:
            await self._inner.write(work, short=short)
        raise unavailable("store")

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """See :meth:`Database.read`."""
        return await self._inner.read(work, snapshot=snapshot)

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """See :meth:`Database.scrub`: nobody erases anything here."""

    async def close(self) -> None:
        """It outlives the server."""


class Server:
    """One life of the server of that name."""

    def __init__(
        self, name: str, database: Database, market: Market, chance: Random, kinds: Kinds
    ) -> None:
        self.name = name
        self.life = Life()
        self.store = Faulty(MortalDatabase(database, self.life), chance)
        self.ledger = kinds.ledger(self.store)
        self.budgets = Budgets(SqlBudgets(database), market.clock)
        self._charging = Charging(self.budgets, Unheard(), market.clock)
        self._calls = kinds.calls(self.ledger, name, self._charging)
        self.attempts = kinds.attempts(self._calls)
        self.lost = kinds.lost(self._calls)
        budgets = SqlBudgets(self.store)
        self.pruning = Pruning(budgets, kinds.windows(self.store), market.clock, piece=2)
        self._late = asyncio.create_task(self._calls.run())

    @property
    def halted(self) -> bool:
        """Whether it stands still."""
        return not self.store.goes_on.is_set()

    async def close(self) -> None:
        """End it in peace."""
        self._late.cancel()
        await asyncio.wait([self._late])
        await self._charging.close()
        await self.ledger.close()
