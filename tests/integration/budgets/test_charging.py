"""Which budgets hold for a call, what they take, and what is said when one is used up."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.charging import SOON_S, Charging
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    Budget,
    BudgetName,
    Counts,
    Parent,
    Scope,
    Span,
    Standing,
    Terms,
    WhenExceeded,
)
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    TOOL_CALL,
    CallId,
    CallKind,
    Charge,
    Counted,
    Full,
    Money,
    Most,
    Overrun,
    Payer,
    Use,
    WindowFull,
    WorkspaceId,
)
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused
from tests.fakes.databases import opened_sqlite

WORKSPACE = Parent("ws_00000001")
KEYS = "key_1", "key_2", "key_3"
PAYER = Payer(WorkspaceId(WORKSPACE), "conv_1", "turn_1", "user_1", KEYS)
NOON = 1_777_636_800_000_000  # 2026-05-01T12:00:00Z
COUNTS = Counts(Scope.WORKSPACE, "", Span.DAY, "", Counted.MONEY, "USD", ())
FIVE = Terms(5_000_000)


class Heard:
    """Is told of overruns alone here."""

    def __init__(self) -> None:
        self.overruns: list[Overrun] = []

    async def warned(self, budget: Budget, payer: Payer, standing: Standing) -> None:
        raise AssertionError

    async def overran(self, budget: Budget, call_id: CallId, overrun: Overrun) -> None:
        self.overruns.append(overrun)


class World:
    """Budgets at noon, and calls of 0.30 USD and 10 tokens at most."""

    def __init__(self, budgets: Budgets) -> None:
        self.budgets, self.asked = budgets, 0
        self.told = Heard()
        self.charging = Charging(budgets, self.told, lambda: NOON)
        self.most = Most(10, Money("USD", 300_000))

    async def put(
        self, counts: Counts = COUNTS, parent: Parent = WORKSPACE, terms: Terms = FIVE
    ) -> None:
        """Make a budget named after what it counts."""
        name = BudgetName(f"{counts.scope.name}-{counts.counted.name}".lower())
        await self.budgets.put(parent, name, counts, terms)

    async def charges(
        self, target: str = "openai/x", payer: Payer = PAYER, kind: CallKind = MODEL_CALL
    ) -> Sequence[Charge]:
        """What a call is charged."""

        async def most() -> Most:
            self.asked += 1
            return self.most

        return await self.charging.charges(payer, kind, target, most)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Without budgets."""
    async with opened_sqlite(metadata) as database:
        budgets = Budgets(SqlBudgets(database), lambda: NOON)
        await budgets.refresh()
        yield World(budgets)


async def test_without_budgets_nobody_finds_out_what_a_call_may_cost(world: World) -> None:
    """Nor where those there are count others' calls."""
    assert await world.charges() == ()
    await world.put(parent=Parent("ws_00000002"))
    await world.put(replace(COUNTS, targets=("anthropic/*", "openai/xy")))
    assert await world.charges() == ()
    assert world.asked == 0


async def test_each_scope_counts_for_those_who_pay(world: World) -> None:
    """The installation's budgets count all workspaces' calls, too."""
    await world.put(replace(COUNTS, scope=Scope.INSTALLATION), GLOBAL)
    for scope in set(Scope) - {Scope.INSTALLATION}:
        await world.put(replace(COUNTS, scope=scope))
    subjects = {it.window.subject for it in await world.charges()}
    assert subjects == {"", WORKSPACE, "user_1", "key_1", "conv_1", "conv_1/turn_1"}
    nobody = Payer(WorkspaceId(WORKSPACE))
    assert {it.window.subject for it in await world.charges(payer=nobody)} == {"", WORKSPACE}


async def test_one_subject_can_be_named(world: World) -> None:
    """Others are not limited by it."""
    await world.put(replace(COUNTS, scope=Scope.USER, subject="user_2"))
    assert not await world.charges()
    (charge,) = await world.charges(payer=replace(PAYER, user_id="user_2"))
    assert charge.window.subject == "user_2"


async def test_a_key_pays_for_those_that_were_made_with_it(world: World) -> None:
    """By its own budget each time, once: another key is no other sum."""
    for key in KEYS:
        await world.put(replace(COUNTS, scope=Scope.API_KEY, subject=key))
        (charge,) = await world.charges()
        assert charge.window.subject == key
    first = replace(PAYER, api_keys=KEYS[:1])
    assert not await world.charges(payer=first), "it is not limited for what it has made"
    await world.put(replace(COUNTS, scope=Scope.API_KEY))
    for payer in (first, PAYER):
        (charge,) = await world.charges(payer=payer)
        assert charge.window.subject == KEYS[0]


@pytest.mark.parametrize(
    ("counted", "amount"), [(Counted.MONEY, 300_000), (Counted.TOKENS, 10), (Counted.CALLS, 1)]
)
async def test_it_takes_the_most_of_what_is_counted(
    world: World, counted: Counted, amount: int
) -> None:
    """In the window of now, and with the mark at which people are warned."""
    currency = "USD" if counted is Counted.MONEY else ""
    await world.put(replace(COUNTS, counted=counted, currency=currency))
    (charge,) = await world.charges()
    assert (charge.amount, charge.limit, charge.warn_at) == (amount, 5_000_000, 4_000_000)
    assert charge.window.start_us == NOON - 12 * 3600 * 1_000_000


@pytest.mark.parametrize("cost", [None, Money("EUR", 3)])
async def test_what_has_no_price_in_the_currency_is_refused(
    world: World, cost: Money | None
) -> None:
    """And it says what to set; what is free is free in every currency."""
    await world.put()
    world.most = Most(10, cost)
    with Refused(Reason.PRICE_UNKNOWN) as refused:
        await world.charges()
    assert refused.error.metadata["target"] == "openai/x"
    assert refused.error.metadata["kind"] == "model"
    known = None if cost is None else "EUR"
    assert refused.error.metadata.get("price_currency") == known
    with Refused(Reason.PRICE_UNKNOWN) as refused:
        await world.charges(kind=TOOL_CALL)
    assert refused.error.metadata["kind"] == "tool"
    world.most = Most(10, Money("EUR", 0), free=True)
    assert await world.charges() == []


@pytest.mark.parametrize(
    ("use", "amount", "seconds"),
    [
        (Use(4_900_000, 0), 300_000, 12 * 3600.0),
        (Use(0, 4_900_000), 300_000, SOON_S),
        (Use(0, 0), 6_000_000, None),
    ],
)
async def test_a_refusal_says_whether_waiting_helps(
    world: World, use: Use, amount: int, seconds: float | None
) -> None:
    """Until the window ends, for those that run now, or not at all."""
    await world.put(terms=replace(FIVE, when_exceeded=WhenExceeded.NEXT_MODEL))
    world.most = Most(10, Money("USD", amount))
    (charge,) = await world.charges()
    refused = world.charging.refusal(WindowFull(Full(charge, use)))
    assert (refused.reason, refused.retry_after) == (Reason.BUDGET_EXCEEDED, seconds)
    assert refused.next_model
    assert refused.metadata["limit"] == "5"
    assert refused.metadata["unit"] == "USD"
    assert refused.metadata["resets_at"] == "2026-05-02T00:00:00Z"


NEXT = WhenExceeded.NEXT_MODEL


@pytest.mark.parametrize("first", [WhenExceeded.REFUSE, NEXT])
async def test_of_several_that_are_full_one_that_refuses_decides(
    world: World, first: WhenExceeded
) -> None:
    """Whichever comes first; both would have to let another model be asked."""
    second = NEXT if first is WhenExceeded.REFUSE else WhenExceeded.REFUSE
    await world.put(terms=replace(FIVE, when_exceeded=first))
    await world.put(replace(COUNTS, scope=Scope.USER), terms=replace(FIVE, when_exceeded=second))
    full = [Full(it, Use(5_000_000, 0)) for it in await world.charges()]
    refused = world.charging.refusal(WindowFull(*full))
    assert not refused.next_model
    refusing = "workspace-money" if first is WhenExceeded.REFUSE else "user-money"
    assert refused.metadata["budget"] == refusing, "both wait for midnight"


async def test_the_longest_wait_is_told(world: World) -> None:
    """With the budget that has too little left for longest, or for ever."""
    await world.put()
    await world.put(replace(COUNTS, scope=Scope.USER, span=Span.HOUR))
    await world.put(replace(COUNTS, scope=Scope.TURN, span=Span.ONCE), terms=replace(FIVE, limit=1))
    turn, user, workspace = [Full(it, Use(5_000_000, 0)) for it in await world.charges()]
    running = Full(workspace.charge, Use(0, 5_000_000))

    def told(*full: Full) -> tuple[str, float | None]:
        refused = world.charging.refusal(WindowFull(*full))
        return refused.metadata["budget"], refused.retry_after

    assert told(running, user) == ("user-money", 3600.0)
    assert told(user, workspace) == ("workspace-money", 12 * 3600.0)
    assert told(turn, user, workspace) == ("turn-money", None)
    assert told(user, turn) == ("turn-money", None)


async def test_amounts_are_decimal_numbers(world: World) -> None:
    """Without noughts behind them."""
    await world.put()
    (charge,) = await world.charges()
    told = world.charging.refusal(WindowFull(Full(charge, Use(4_900_000, 1)))).metadata
    assert (told["spent"], told["reserved"], told["needed"]) == ("4.9", "0.000001", "0.3")


@pytest.mark.parametrize("scope", [Scope.INSTALLATION, Scope.WORKSPACE])
async def test_the_sums_of_the_installation_are_its_operators_alone(
    world: World, scope: Scope
) -> None:
    """Whoever is refused hears which budget it was, and when to try again."""
    await world.put(replace(COUNTS, scope=scope), GLOBAL)
    (charge,) = await world.charges()
    refused = world.charging.refusal(WindowFull(Full(charge, Use(4_900_000, 0))))
    assert refused.retry_after == 12 * 3600.0
    assert refused.metadata == {
        "budget": f"{scope.name}-money".lower(),
        "parent": "global",
        "scope": scope.name,
        "resets_at": "2026-05-02T00:00:00Z",
        **({"subject": WORKSPACE} if scope is Scope.WORKSPACE else {}),
    }


async def test_what_another_server_changes_is_seen(world: World) -> None:
    """When it is looked for."""
    await world.put()
    other = Budgets(world.budgets._store, lambda: NOON)
    await other.refresh()
    await world.budgets.delete(WORKSPACE, BudgetName("workspace-money"))
    assert list(other.holding(PAYER, "openai/x"))
    await other.refresh()
    assert not list(other.holding(PAYER, "openai/x"))


async def test_more_of_what_was_given_up_is_told_of_where_it_is_beyond_the_limit(
    world: World,
) -> None:
    """Within it nobody needs to know; more than was reserved is told of in any case."""
    await world.put()
    (it,) = await world.charges()
    within, beyond = Use(5_000_000, 0), Use(5_000_000, 1)
    every = [Overrun(it.window, 1, 2, use) for use in (None, within, beyond)]
    world.charging.overrun(CallId("call_1"), every)
    await world.charging.close()
    assert world.told.overruns == [every[0], every[2]]
