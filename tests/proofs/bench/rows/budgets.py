"""What budgets add to a call's entry in the ledger: all is reserved before it, booked after it."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

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
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    Counted,
    Foreseen,
    Money,
    Most,
    Outcome,
    Payer,
    Settlement,
    WorkspaceId,
)
from tests.fakes.databases import sqlite_in
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_most, median, paired
from tests.proofs.overspend.racing import Unheard, costing

CALLS = 100
SLICES = 8
MOST_MS = at_most(2, of_floor=False)
MOST_CPU_MS = at_most(0.3, of_floor=False)
MOST_US_WITHOUT = at_most(5, of_floor=False)
PAYER = Payer(WorkspaceId("ws_00000001"), "conv_00000001", "turn_00000001", "user_00000001")
SCOPES = (Scope.INSTALLATION, Scope.WORKSPACE, Scope.USER)


@dataclass(frozen=True, slots=True)
class Took:
    """Opening and settling a call: the median of how long it takes, and processor time, in ms."""

    wall_ms: float
    cpu_ms: float


async def budgets(bench: Bench) -> list[Figure]:
    """Opening and settling a call: no budgets known of, then with none, one and three."""
    async with AsyncExitStack() as stack:
        kinds = [await stack.enter_async_context(_calls(bench, it)) for it in (None, 0, 1, 3)]
        bare, none, one, three = await _measured(bench, kinds)
    free = [(it.cpu_ms - floor.cpu_ms) * 1000 for floor, it in zip(bare, none, strict=True)]
    figures = [
        paired("ledger: open and settle, p50", "ms", [it.wall_ms for it in none]),
        paired("ledger: open and settle, processor", "ms", [it.cpu_ms for it in none]),
        paired("budgets: none of them, processor", "us more", free, (), MOST_US_WITHOUT),
    ]
    for name, found in (("one", one), ("three", three)):
        wall = [it.wall_ms - floor.wall_ms for floor, it in zip(none, found, strict=True)]
        cpu = [it.cpu_ms - floor.cpu_ms for floor, it in zip(none, found, strict=True)]
        figures.append(paired(f"budgets: {name}, p50", "ms more", wall, (), MOST_MS))
        figures.append(paired(f"budgets: {name}, processor", "ms more", cpu, (), MOST_CPU_MS))
    return figures


@asynccontextmanager
async def _calls(bench: Bench, count: int | None) -> AsyncIterator[PricedCalls]:
    """A ledger of its own, in a file; without ``count`` it knows no budgets at all."""
    async with sqlite_in(bench.fresh() / "store.db", metadata) as database:
        known = Budgets(SqlBudgets(database))
        for scope in SCOPES[: count or 0]:
            counts = Counts(scope, "", Span.MONTH, "", Counted.MONEY, "USD", ())
            await known.put(GLOBAL, BudgetName(scope.name.lower()), counts, Terms(1 << 50))
        charging = None if count is None else Charging(known, Unheard())
        ledger = SqlLedger(database)
        yield PricedCalls(ledger, "local", charging)
        await ledger.close()


async def _measured(bench: Bench, kinds: list[PricedCalls]) -> list[list[Took]]:
    """Slices of each in turn, so that a noisy moment hits all."""
    found: list[list[Took]] = [[] for _ in kinds]
    for _ in range(bench.rounds):
        slices: list[list[Took]] = [[] for _ in kinds]
        for _ in range(SLICES):
            for at, calls in enumerate(kinds):
                slices[at].append(await _slice(calls))
        for at, each in enumerate(slices):
            wall, cpu = [it.wall_ms for it in each], [it.cpu_ms for it in each]
            found[at].append(Took(median(wall), median(cpu)))
    return found


async def _slice(calls: PricedCalls) -> Took:
    took: list[float] = []
    begun = time.process_time()
    for _ in range(CALLS):
        before = time.perf_counter()
        call = await calls.open(PAYER, MODEL_CALL, "a/model", _foreseen, _most)
        await calls.settle(call, Settlement(Outcome.SUCCEEDED, costing(9), 1))
        took.append(time.perf_counter() - before)
    return Took(median(took) * 1000, (time.process_time() - begun) * 1000 / CALLS)


def _foreseen() -> Foreseen:
    return Foreseen(costing(7))


async def _most() -> Most:
    return Most(1000, Money("USD", 1000))
