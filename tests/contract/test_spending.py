"""What was spent is told in groups that sum up to what GetUsage tells, on every database."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest

from antiphon_server.integration.budgets.adapters.spending import SqlSpending
from antiphon_server.integration.budgets.model import GLOBAL, Parent
from antiphon_server.integration.budgets.spending import DAY_US, Asked, Spending
from antiphon_server.integration.budgets.spent import Group, Key, Spent
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    TOOL_CALL,
    BudgetId,
    Call,
    CallId,
    Charge,
    Counted,
    Money,
    Outcome,
    Payer,
    Quantities,
    Settlement,
    Usage,
    UsageFilter,
    Window,
    WorkspaceId,
)
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.rpc.paging import encode_page_token
from antiphon_server.runtime.storage.database import Database
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

WORKSPACE, OTHER = WorkspaceId("ws_00000001"), WorkspaceId("ws_00000002")
ZONE = ZoneInfo("Europe/Berlin")
# Two days before clocks are set forward in Berlin, to two days after.
START_US = int(datetime(2026, 3, 27, 22, 30, tzinfo=UTC).timestamp()) * 1_000_000
END_US = START_US + 4 * DAY_US
NOTHING = Usage(Quantities(), False, Money("USD", 0))


class Books:
    """A ledger, and what is told of it."""

    def __init__(self, database: Database) -> None:
        self.ledger = SqlLedger(database)
        self.spending = Spending(SqlSpending(database), lambda: END_US)
        self._number = 0

    async def close(self) -> None:
        await self.ledger.close()

    async def call(
        self,
        usage: Usage | None,
        at_us: int = START_US,
        target: str = "x/y",
        payer: Payer = Payer(WORKSPACE, "conv_1", "", "user_1"),  # noqa: B008 - frozen
        charges: Sequence[Charge] = (),
    ) -> None:
        """One that took this; it still runs if that is None."""
        self._number += 1
        call_id, kind = (
            CallId(f"call_{self._number:05}"),
            TOOL_CALL if "." in target else MODEL_CALL,
        )
        call = Call(call_id, payer, kind, target, at_us, NOTHING, tuple(charges))
        await self.ledger.open(call, "me")
        if usage is not None:
            settled = Settlement(Outcome.SUCCEEDED, usage, 1)
            await self.ledger.settle(call_id, settled, charges)

    async def told(
        self, *keys: Key, parent: str = WORKSPACE, zone: str = "", page_size: int = 0
    ) -> list[Spent]:
        """All groups, page by page."""
        groups, token = list[Spent](), ""
        while True:
            asked = Asked(Parent(parent), START_US, END_US, frozenset(keys), zone, page_size, token)
            page, token = await self.spending.page(asked)
            assert len(page) <= (page_size or 200)
            groups += page
            if not token:
                return groups


books = on_each_kind(Books, metadata)


async def _mixed(books: Books, calls: int = 300) -> None:
    """Calls of all kinds, from a fixed seed."""
    some = random.Random(16)
    for _ in range(calls):
        price = some.choice([Money("USD", some.randrange(99)), Money("EUR", 7), None])
        quantities = Quantities(*(some.randrange(50) for _ in Quantities._fields))
        conversation, user = f"conv_{some.randrange(3)}", some.choice(["", "user_1", "user_2"])
        await books.call(
            Usage(quantities, some.random() < 0.1, price),
            some.randrange(START_US, END_US),
            some.choice(["x/y", "x/z", "search.web"]),
            Payer(
                some.choice([WORKSPACE, WORKSPACE, OTHER]),
                conversation,
                "",
                user,
                some.choice([(), ("key_1",), ("key_1", "key_2")]),
            ),
        )


@pytest.mark.parametrize("page_size", [0, 1, 7])
async def test_the_groups_sum_up_to_what_the_ledger_tells(books: Books, page_size: int) -> None:
    """However they are made, and however many stand on a page."""
    await _mixed(books)
    total = await books.ledger.total(UsageFilter(WORKSPACE, START_US, END_US))
    (whole,) = await books.told()
    assert whole.usage == total
    for count in (1, 2, 5) if page_size else (2, 4):
        for keys in combinations(Key, count):
            groups = await books.told(*keys, page_size=page_size)
            sums = [sum(each) for each in zip(*(it.usage.quantities for it in groups), strict=True)]
            assert Quantities(*sums) == total.quantities
            assert sum(it.ended for it in groups) == whole.ended
            assert sum(it.unpriced for it in groups) == whole.unpriced
            for each in whole.costs:
                of_it = [
                    cost.micros
                    for it in groups
                    for cost in it.costs
                    if cost.currency == each.currency
                ]
                assert sum(of_it) == each.micros
            assert [it.group for it in groups] == sorted({it.group for it in groups})


async def test_days_are_those_of_the_time_zone(books: Books) -> None:
    """Also when its clocks are changed: each call stands on the date that they showed."""
    for hour in range(96):
        await books.call(NOTHING, START_US + hour * 3_600_000_000)
    by_day: dict[int, int] = {}
    for hour in range(96):
        began = datetime.fromtimestamp(START_US / 1e6 + hour * 3600, ZONE)
        day = began.date().toordinal() - datetime(1970, 1, 1).toordinal()
        by_day[day] = by_day.get(day, 0) + 1
    told = await books.told(Key.DAY, zone="Europe/Berlin")
    assert {it.group.day: it.ended for it in told} == by_day
    assert 23 in by_day.values()


async def test_each_currency_has_a_sum_of_its_own(books: Books) -> None:
    """And of a group with several, or with an unknown price, there is no sum of all."""
    await books.call(Usage(Quantities(1), False, Money("USD", 5)))
    await books.call(Usage(Quantities(1), False, Money("EUR", 7)))
    await books.call(Usage(Quantities(1), False, Money("EUR", 7)), target="x/z")
    await books.call(Usage(Quantities(1), False, None), target="x/z")
    first, second = await books.told(Key.TARGET)
    assert (first.costs, first.unpriced) == ((Money("EUR", 7), Money("USD", 5)), 0)
    assert (second.costs, second.unpriced) == ((Money("EUR", 7),), 1)
    assert (first.usage.cost, second.usage.cost) == (None, None)
    assert first.group == Group(target="x/y", kind=MODEL_CALL)


async def test_what_is_reserved_is_told_beside(books: Books) -> None:
    """Once, however many budgets count it; it is gone when the call has ended."""
    window = Window(BudgetId("b"), "", 0)
    held = [
        Charge(window, Counted.MONEY, 30, 1000, 900),
        Charge(window._replace(budget_id=BudgetId("c")), Counted.MONEY, 30, 1000, 900),
        Charge(window._replace(budget_id=BudgetId("d")), Counted.TOKENS, 40, 1000, 900),
    ]
    await books.call(None, charges=held)
    await books.call(Usage(Quantities(2, 2), False, Money("USD", 9)), charges=held)
    (told,) = await books.told()
    assert (told.ended, told.running) == (1, 1)
    assert (told.costs, told.held, told.held_tokens) == (
        (Money("USD", 9),),
        (Money("USD", 30),),
        40,
    )


async def test_calls_that_run_elsewhere_are_left_out(books: Books) -> None:
    """Of another workspace, and those that began before or behind the range."""
    await books.call(None, payer=Payer(OTHER))
    await books.call(None, START_US - 1)
    await books.call(None, END_US)
    assert await books.told() == []
    (told,) = await books.told(parent=GLOBAL)
    assert (told.ended, told.running) == (0, 1)


async def test_groups_behind_a_page_have_what_runs(books: Books) -> None:
    """Beside what has ended, each group on one page alone."""
    for target in ("x/a", "x/b", "x/c"):
        await books.call(None, target=target)
    await books.call(Usage(Quantities(1), False, Money("USD", 5)), target="x/b")
    told = await books.told(Key.TARGET, page_size=1)
    assert [(it.group.target, it.ended, it.running) for it in told] == [
        ("x/a", 0, 1),
        ("x/b", 1, 1),
        ("x/c", 0, 1),
    ]


async def test_an_installation_has_all_workspaces(books: Books) -> None:
    """Which can be told apart."""
    await books.call(NOTHING, payer=Payer(OTHER))
    await books.call(NOTHING)
    told = await books.told(Key.WORKSPACE, parent=GLOBAL)
    assert [it.group.workspace_id for it in told] == [WORKSPACE, OTHER]
    assert len(await books.told(Key.WORKSPACE)) == 1


async def test_what_began_outside_is_left_out(books: Books) -> None:
    """Before the start, and at the end or later; where nothing is, no group is."""
    await books.call(NOTHING, START_US - 1)
    await books.call(NOTHING, END_US)
    assert await books.told() == []


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [(5, 4, ""), (0, 401 * DAY_US, ""), (-1, 5, ""), (0, 2**60, ""), (0, 5, "Mars/Phobos")],
)
async def test_a_range_that_is_none_is_refused(
    books: Books, start: int, end: int, zone: str
) -> None:
    """And one that is too long, and a time zone that there is not."""
    with Refused(Reason.INVALID_ARGUMENT):
        await books.spending.page(Asked(Parent(WORKSPACE), start, end, frozenset(), zone, 0, ""))


async def test_without_times_it_is_the_last_days(books: Books) -> None:
    """Thirty until now, and the next pages' are those of the first."""
    await books.call(NOTHING, END_US - 30 * DAY_US + 2)
    await books.call(NOTHING, END_US, target="x/z")
    asked = Asked(Parent(WORKSPACE), None, None, frozenset({Key.TARGET}), "", 1, "")
    (first,), token = await books.spending.page(asked)
    await books.call(NOTHING, END_US + 1, target="x/zz")
    rest, _ = await books.spending.page(
        Asked(Parent(WORKSPACE), None, None, asked.keys, "", 5, token)
    )
    assert [first.group.target, *(it.group.target for it in rest)] == ["x/y", "x/z"]


@pytest.mark.parametrize(("day", "kind"), [("9" * 18, "1"), ("0", "9" * 18), ("0", "32768")])
async def test_a_page_token_that_nobody_was_given_is_refused(
    books: Books, day: str, kind: str
) -> None:
    """Tokens are not sealed: a day or a kind that no store holds is not asked for."""
    asked = Asked(Parent(WORKSPACE), START_US, END_US, frozenset({Key.DAY, Key.TARGET}), "", 1, "")
    listed = f"spending {WORKSPACE} {START_US} {END_US} {sorted(asked.keys)} "
    place = (str(START_US), str(END_US), day, "x", kind, "", "", "")
    forged = replace(asked, page_token=encode_page_token(listed, *place))
    with Refused(Reason.PAGE_TOKEN_INVALID):
        await books.spending.page(forged)
