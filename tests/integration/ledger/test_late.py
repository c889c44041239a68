"""What the store did not take in time is settled without another call."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import pytest
from sqlalchemy import Connection, select

from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.charging import Charging
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    BudgetName,
    Counts,
    Scope,
    Span,
    Terms,
)
from antiphon_server.integration.ledger import calls as late
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata, windows
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    Call,
    Counted,
    Foreseen,
    Outcome,
    Payer,
    Settlement,
    WorkspaceId,
)
from antiphon_server.runtime.errors import Reason, unavailable
from antiphon_server.runtime.storage.database import Database
from tests.e2e.refusals import Refused
from tests.e2e.until import until_it
from tests.fakes.databases import opened_sqlite
from tests.proofs.overspend.racing import Unheard, costing

T = TypeVar("T")
PAYER = Payer(WorkspaceId("ws_00000001"))


class Mute:
    """A database that commits, and while it is told to doesn't say so; see :class:`Database`."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner
        self.shared = inner.shared
        self.says = True

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """See :meth:`Database.write`."""
        result = await self._inner.write(work, short=short)
        if not self.says:
            raise unavailable("store")
        return result

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """See :meth:`Database.read`."""
        return await self._inner.read(work, snapshot=snapshot)

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """See :meth:`Database.scrub`: nobody erases anything here."""

    async def close(self) -> None:
        """It is the fixture's."""


class Priced:
    """Calls of which a budget takes one at a time."""

    def __init__(self, database: Database) -> None:
        self.database = Mute(database)
        self.budgets = Budgets(SqlBudgets(database))
        self.calls = PricedCalls(SqlLedger(self.database), "me", Charging(self.budgets, Unheard()))
        self.running: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Settle nothing any longer of itself."""
        assert self.running is not None
        self.running.cancel()
        await asyncio.wait([self.running])

    async def open(self) -> Call:
        """Begin one."""
        return await self.calls.open(PAYER, MODEL_CALL, "a/model", lambda: Foreseen(costing(0)))

    async def reserved(self) -> int:
        """How many are under way."""
        query = select(windows.c.reserved)
        return int(await self.database.read(lambda it: it.execute(query).scalar_one()))

    async def nothing_reserved(self) -> bool:
        """Whether all are over."""
        return await self.reserved() == 0


@pytest.fixture
async def priced(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Priced]:
    """With a budget of two calls."""
    monkeypatch.setattr(late, "LATE_S", 0.2)
    async with opened_sqlite(metadata) as database:
        made = Priced(database)
        counts = Counts(Scope.INSTALLATION, "", Span.ONCE, "", Counted.CALLS, "", ())
        await made.budgets.put(GLOBAL, BudgetName("two"), counts, Terms(2))
        made.running = asyncio.create_task(made.calls.run())
        yield made
        await made.stop()


async def test_what_may_be_open_and_is_never_made_reserves_nothing_for_long(
    priced: Priced,
) -> None:
    """Nobody has to make another call before."""
    priced.database.says = False
    with Refused(Reason.SERVICE_UNAVAILABLE):
        await priced.open()
    assert await priced.reserved() == 1
    priced.database.says = True
    await until_it(priced.nothing_reserved)


async def test_while_much_is_late_nothing_is_begun(
    priced: Priced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no settlement is ever left out."""
    monkeypatch.setattr(late, "MAX_LATE", 1)
    priced.database.says = False
    with Refused(Reason.SERVICE_UNAVAILABLE):
        await priced.open()
    with Refused(Reason.OVERLOADED):
        await priced.open()
    priced.database.says = True
    await until_it(priced.nothing_reserved)
    call = await priced.open()
    await priced.calls.settle(call, Settlement(Outcome.SUCCEEDED, costing(1), 1))
    assert await priced.reserved() == 0


async def test_a_server_that_stops_settles_what_is_late(
    priced: Priced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows of it later; a store that stays away is not waited for."""
    monkeypatch.setattr(late, "CLOSING_S", 0.3)
    await priced.stop()
    priced.database.says = False
    with Refused(Reason.SERVICE_UNAVAILABLE):
        await priced.open()
    await priced.calls.close()
    priced.database.says = True
    await priced.calls.close()
    assert await priced.reserved() == 0
