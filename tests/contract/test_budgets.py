"""Every store of budgets keeps the same promises."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.adapters.tables import budgets
from antiphon_server.integration.budgets.budgets import Budgets
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    MOST_BUDGETS,
    Budget,
    BudgetName,
    Counts,
    Parent,
    Scope,
    Seen,
    Span,
    Standing,
    Subject,
    Terms,
    WhenExceeded,
)
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    BudgetId,
    Call,
    CallId,
    Charge,
    Counted,
    Payer,
    Quantities,
    Usage,
    Use,
    Window,
    WorkspaceId,
)
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

WORKSPACE, NAME = Parent("ws_00000001"), BudgetName("team")
COUNTS = Counts(Scope.USER, "user_1", Span.DAY, "Europe/Berlin", Counted.MONEY, "EUR", ("a/*", "b"))
NEXT, USER = WhenExceeded.NEXT_MODEL, Subject(Scope.USER, "user_1")
TERMS = Terms(7, WhenExceeded.NEXT_MODEL, 50)

store = on_each_kind(SqlBudgets, metadata)


async def test_a_budget_is_told_as_it_was_put(store: SqlBudgets) -> None:
    """By its parent, and among all."""
    put = await store.put(WORKSPACE, NAME, COUNTS, TERMS)
    assert (put.counts, put.terms) == (COUNTS, TERMS)
    assert await store.listed(WORKSPACE, "", 10) == [put]
    assert await store.all() == [put]
    assert await store.listed(GLOBAL, "", 10) == []


async def test_another_limit_leaves_what_is_spent(store: SqlBudgets) -> None:
    """What is counted otherwise begins with nothing."""
    first = await store.put(WORKSPACE, NAME, COUNTS, TERMS)
    raised = await store.put(WORKSPACE, NAME, COUNTS, replace(TERMS, limit=8))
    assert (raised.budget_id, raised.counted_us) == (first.budget_id, first.counted_us)
    other = await store.put(WORKSPACE, NAME, replace(COUNTS, span=Span.MONTH), TERMS)
    assert other.budget_id != first.budget_id
    assert other.created_us == first.created_us < other.counted_us
    assert await store.all() == [other]


async def test_all_are_told_in_the_order_of_their_names(store: SqlBudgets) -> None:
    """Whichever was put first: so what a call is charged, and refused by, is no accident."""
    for name in ("b", "c", "a"):
        await store.put(WORKSPACE, BudgetName(name), COUNTS, TERMS)
        await store.put(GLOBAL, BudgetName(name), COUNTS, TERMS)
    await store.put(WORKSPACE, BudgetName("a"), COUNTS, replace(TERMS, limit=8))
    found = [(it.parent, it.name) for it in await store.all()]
    assert found == [(parent, name) for parent in (GLOBAL, WORKSPACE) for name in ("a", "b", "c")]


async def test_one_that_must_be_new_changes_none(store: SqlBudgets) -> None:
    """Repeated, the one that it has made is returned."""
    new = Seen(must_be_new=True)
    first = await store.put(WORKSPACE, NAME, COUNTS, TERMS, new)
    assert await store.put(WORKSPACE, NAME, COUNTS, TERMS, new) == first
    with Refused(Reason.ALREADY_EXISTS):
        await store.put(WORKSPACE, NAME, COUNTS, replace(TERMS, limit=8), new)
    assert await store.all() == [first]


async def test_only_what_was_seen_is_changed(store: SqlBudgets) -> None:
    """Each change has another etag; repeated with that of before, the change is returned."""
    first = await store.put(WORKSPACE, NAME, COUNTS, TERMS)
    seen = Seen(first.etag)
    raised = await store.put(WORKSPACE, NAME, COUNTS, replace(TERMS, limit=8), seen)
    assert raised.etag != first.etag
    assert await store.put(WORKSPACE, NAME, COUNTS, raised.terms, seen) == raised
    with Refused(Reason.ETAG_MISMATCH):
        await store.put(WORKSPACE, NAME, COUNTS, replace(TERMS, limit=9), seen)
    await store.delete(WORKSPACE, NAME)
    with Refused(Reason.ETAG_MISMATCH):
        await store.put(WORKSPACE, NAME, COUNTS, TERMS, Seen(raised.etag))
    assert await store.all() == []


class Newer(SqlBudgets):
    """Of which another server has changed a budget to what this one doesn't know."""

    async def change(self, column: str, value: object) -> None:
        """As that one would."""
        changed = update(budgets).where(budgets.c.name == "newer").values({column: value})
        await self._database.write(lambda it: it.execute(changed))


newer = on_each_kind(Newer, metadata)


@pytest.mark.parametrize(("column", "value"), [("scope", 99), ("span", 99)])
async def test_a_newer_servers_budget_leaves_the_others_known(
    newer: Newer, column: str, value: object
) -> None:
    """While servers are upgraded one after the other; and it can be put anew."""
    known, name = await newer.put(WORKSPACE, NAME, COUNTS, TERMS), BudgetName("newer")
    await newer.put(WORKSPACE, name, COUNTS, TERMS)
    await newer.change(column, value)
    at_this_server = Budgets(newer)
    await at_this_server.refresh()
    assert at_this_server.with_id(known.budget_id) == known
    payer = Payer(WorkspaceId(WORKSPACE), "", "", "user_1")
    assert [it.name for it, _ in at_this_server.holding(payer, "a/b")] == [NAME]
    put = await at_this_server.put(WORKSPACE, name, COUNTS, TERMS)
    assert [it.name for it, _ in at_this_server.holding(payer, "a/b")] == [put.name, NAME]


async def test_each_change_has_another_version(store: SqlBudgets) -> None:
    """By which servers see that they have to read."""
    versions = [await store.version()]
    await store.put(WORKSPACE, NAME, COUNTS, TERMS)
    versions.append(await store.version())
    await store.delete(WORKSPACE, NAME)
    versions.append(await store.version())
    assert len(set(versions)) == 3


async def test_a_parent_has_no_more_than_it_may(store: SqlBudgets) -> None:
    """One that is there can still be changed."""
    for number in range(MOST_BUDGETS):
        await store.put(WORKSPACE, BudgetName(f"b{number}"), COUNTS, TERMS)
    with Refused(Reason.LIMIT_EXCEEDED):
        await store.put(WORKSPACE, NAME, COUNTS, TERMS)
    await store.put(WORKSPACE, BudgetName("b0"), COUNTS, replace(TERMS, limit=8))
    await store.put(GLOBAL, NAME, COUNTS, TERMS)


@pytest.mark.parametrize("times", [1, 2])
async def test_one_that_is_removed_is_gone(store: SqlBudgets, times: int) -> None:
    """Repeated, nothing changes."""
    await store.put(WORKSPACE, NAME, COUNTS, TERMS)
    for _ in range(times):
        await store.delete(WORKSPACE, NAME)
    assert await store.all() == []


def _call(number: int, budget: Budget, subject: str, amount: int = 5) -> Call:
    """One that takes so much of a window without end."""
    window, terms = Window(budget.budget_id, subject, 0), budget.terms
    charge = Charge(window, Counted.CALLS, amount, terms.limit, terms.warn_at)
    payer, nothing = Payer(WorkspaceId(WORKSPACE)), Usage(Quantities(), False, None)
    return Call(CallId(f"call_{number}"), payer, MODEL_CALL, "a/b", 1, nothing, (charge,))


ONCE = Counts(Scope.USER, "", Span.ONCE, "", Counted.CALLS, "", ())


@pytest.mark.parametrize("change", [{"limit": 20}, {"warn_percent": 90}, {"limit": 8}])
async def test_a_changed_mark_is_told_once_more(store: SqlBudgets, change: dict[str, Any]) -> None:
    """In each window that runs; a change of something else is no reason."""
    ledger = SqlLedger(store._database)
    budget = await store.put(WORKSPACE, NAME, ONCE, Terms(10, WhenExceeded.REFUSE, 50))
    assert await ledger.open(_call(1, budget, "user_1"), "me")
    other = await store.put(WORKSPACE, BudgetName("other"), ONCE, Terms(10))
    assert await ledger.open(_call(2, other, "user_1", 9), "me")
    kept = await store.put(WORKSPACE, NAME, ONCE, replace(budget.terms, when_exceeded=NEXT))
    assert not await ledger.open(_call(3, kept, "user_1", 1), "me")
    changed = await store.put(WORKSPACE, NAME, ONCE, replace(budget.terms, **change))
    more = max(1, changed.terms.warn_at - 6)
    assert await ledger.open(_call(4, changed, "user_1", more), "me")
    assert not await ledger.open(_call(5, changed, "user_1", 1), "me")
    assert not await ledger.open(_call(6, other, "user_1", 1), "me"), "its mark is as it was"
    await ledger.close()


async def test_those_who_use_most_are_told_of_each_budget(store: SqlBudgets) -> None:
    """As many of each as are wanted, however many budgets there are."""
    ledger = SqlLedger(store._database)
    found = [await store.put(WORKSPACE, BudgetName(name), ONCE, Terms(100)) for name in "abc"]
    number = 0
    for budget in found[:2]:
        for user in range(4):
            number += 1
            await ledger.open(_call(number, budget, f"user_{user}", 10 * (user % 3 + 1)), "me")
    await ledger.close()
    starts = {it.budget_id: (0, 0) for it in found}
    told = await store.standings(starts, 3)
    most = [("user_2", 30), ("user_1", 20), ("user_0", 10)]
    assert [[(it.subject, it.use.used) for it in told[each]] for each in starts] == [most, most, []]
    later = await store.standings({it.budget_id: (7, 8) for it in found}, 3)
    assert later == {it.budget_id: [] for it in found}
    assert await store.standings({}, 3) == {}
    page = {BudgetId(f"b{number}"): (0, 0) for number in range(201)} | starts
    assert sum(map(len, (await store.standings(page, 3)).values())) == 6


async def test_one_subject_is_told_by_itself(store: SqlBudgets) -> None:
    """In the budgets that count it: each one's of its scope, and those for it alone."""
    ledger = SqlLedger(store._database)
    asked = {"each": "", "mine": "user_1", "theirs": "user_2"}
    for name, subject in asked.items():
        await store.put(WORKSPACE, BudgetName(name), replace(ONCE, subject=subject), Terms(100))
    whole = replace(ONCE, scope=Scope.WORKSPACE)
    await store.put(WORKSPACE, BudgetName("whole"), whole, Terms(100))
    each, mine = found = await store.listed(WORKSPACE, "", 10, USER)
    assert [it.name for it in found] == ["each", "mine"]
    for number, subject in enumerate(("user_1", "user_2")):
        await ledger.open(_call(number, each, subject), "me")
    await ledger.close()
    told = await store.standings({it.budget_id: (0, 0) for it in found}, 3, USER)
    assert told == {each.budget_id: [Standing("user_1", 0, 0, Use(0, 5))], mine.budget_id: []}


async def test_single_windows_are_told(store: SqlBudgets) -> None:
    """Of several budgets, each of a subject of its own; of what has none yet nothing."""
    ledger = SqlLedger(store._database)
    first, second = [
        await store.put(WORKSPACE, BudgetName(name), ONCE, Terms(100)) for name in ("a", "b")
    ]
    for number, (budget, user) in enumerate([(first, "user_1"), (first, "user_2")]):
        await ledger.open(_call(number, budget, user), "me")
    await ledger.close()
    wanted = Window(first.budget_id, "user_2", 0), Window(second.budget_id, "user_1", 0)
    assert await store.uses(wanted) == {wanted[0]: Use(0, 5)}
