"""What budgets leave to a turn, before it asks for anything."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import pytest

from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.left import BudgetsLeft, Left
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    BudgetName,
    Counts,
    Parent,
    Scope,
    Span,
    Terms,
)
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    Call,
    CallId,
    Charge,
    Counted,
    Payer,
    Quantities,
    Usage,
    Window,
    WorkspaceId,
)
from tests.fakes.databases import opened_sqlite

WORKSPACE = Parent("ws_00000001")
PAYER = Payer(WorkspaceId(WORKSPACE), "conv_1", "turn_1", "user_1", ("key_1",))
NOON, MIDNIGHT = 1_777_636_800_000_000, 1_777_680_000_000_000  # on 2026-05-01
DAILY = Counts(Scope.WORKSPACE, "", Span.DAY, "", Counted.MONEY, "USD", ())
ONCE = replace(DAILY, span=Span.ONCE)
MODEL = "scripted/echo"


class World:
    """Budgets at noon, and what is left of them."""

    def __init__(self, store: SqlBudgets) -> None:
        self.store, self.ledger = store, SqlLedger(store._database)
        self.budgets = Budgets(store, lambda: NOON)

    async def put(self, limits: Mapping[Counts, int], parent: Parent = WORKSPACE) -> None:
        for number, (counts, limit) in enumerate(limits.items()):
            await self.budgets.put(parent, BudgetName(f"b{number}"), counts, Terms(limit))

    async def spend(self, amount: int) -> None:
        """Reserve so much, by all budgets that count the turn's calls."""
        charges = []
        for budget, subject in self.budgets.holding(PAYER, MODEL):
            start = 0 if budget.counts.span is Span.ONCE else MIDNIGHT - 86_400_000_000
            window = Window(budget.budget_id, subject, start)
            charges.append(Charge(window, budget.counts.counted, amount, 10**9, 10**9))
        usage = Usage(Quantities(), estimated=True, cost=None)
        call = Call(CallId("call_1"), PAYER, MODEL_CALL, MODEL, NOON, usage, charges=tuple(charges))
        await self.ledger.open(call, "me")
        await self.ledger.close()

    async def left(self, *targets: str) -> Sequence[Left]:
        rules = BudgetsLeft(self.budgets, self.store, lambda: NOON)
        return await rules.of(PAYER, targets or (MODEL,))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with opened_sqlite(metadata) as database:
        yield World(SqlBudgets(database))


def _usd(amount: int, end_us: int = 0) -> Left:
    return Left(Counted.MONEY, "USD", amount, end_us)


async def test_the_least_is_told_of_each_unit(world: World) -> None:
    """What is reserved is not left; of as much, what is so for longer is told."""
    user = replace(ONCE, scope=Scope.USER)
    calls = replace(DAILY, scope=Scope.TURN, counted=Counted.CALLS, currency="")
    await world.put({DAILY: 500, ONCE: 600, user: 500, calls: 300})
    left = [_usd(500), Left(Counted.CALLS, "", 300, MIDNIGHT)]
    assert await world.left() == left
    await world.spend(200)
    assert await world.left() == [it._replace(amount=it.amount - 200) for it in left]


async def test_nothing_is_told_of_what_is_nobodys_business(world: World) -> None:
    """Budgets of the installation, of others, and of other models; nothing is below 0."""
    await world.put({DAILY: 1}, GLOBAL)
    theirs = replace(ONCE, scope=Scope.USER, subject="user_2")
    other = replace(ONCE, scope=Scope.CONVERSATION, targets=("openai/*",))
    await world.put({theirs: 2, other: 3})
    assert not await world.left()
    assert await world.left(MODEL, "openai/x") == [_usd(3)]
    await world.put({DAILY: 10, other: 3})
    await world.spend(200)
    assert await world.left() == [_usd(0, MIDNIGHT)]
