"""Every store forgets windows and bookings once nobody needs them, and never before."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Table, func, select

from antiphon_server.integration.budgets import pruning as rules
from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.adapters.windows import SqlWindows
from antiphon_server.integration.budgets.budgets import now_us, window_of
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    Budget,
    BudgetName,
    Counts,
    Over,
    Scope,
    Span,
    Terms,
)
from antiphon_server.integration.budgets.pruning import KEPT_US, LATE_US, Pruning
from antiphon_server.integration.budgets.spans import zone_of
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import bookings, metadata, windows
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
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
    Use,
    Window,
    WindowFull,
    WorkspaceId,
)
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

T = TypeVar("T")

LIMIT, ZONE = 1_000_000, "Europe/Berlin"
DAY_US = 24 * 3_600_000_000
EXPECTED = Usage(Quantities(), True, Money("USD", 3))
TOOK = Settlement(Outcome.SUCCEEDED, Usage(Quantities(), False, Money("USD", 5)), 1)


class Counting:
    """A database that counts what is written; see :class:`Database`."""

    def __init__(self, inner: Database) -> None:
        self._inner, self.shared = inner, inner.shared
        self.writes = 0

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """See :meth:`Database.write`."""
        self.writes += 1
        return await self._inner.write(work, short=short)

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """See :meth:`Database.read`."""
        return await self._inner.read(work, snapshot=snapshot)

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """See :meth:`Database.scrub`: nobody erases anything here."""

    async def close(self) -> None:
        """It is the test's."""


class Books:
    """A ledger with budgets, and what forgets what is over."""

    def __init__(self, database: Database) -> None:
        self.database = Counting(database)
        self.ledger = SqlLedger(database)
        self.budgets = SqlBudgets(database)
        self.ahead_us = 0

    def clock(self) -> int:
        """The time of who forgets."""
        return now_us() + self.ahead_us

    async def budget(
        self, span: Span, scope: Scope = Scope.USER, counted: Counted = Counted.MONEY
    ) -> Budget:
        """A new one."""
        await asyncio.to_thread(zone_of, ZONE)  # as Budgets does
        currency = "USD" if counted is Counted.MONEY else ""
        counts = Counts(scope, "", span, ZONE, counted, currency, ())
        name = BudgetName(f"{span.name}-{scope.name}".lower())
        return await self.budgets.put(GLOBAL, name, counts, Terms(LIMIT))

    async def open(
        self, *budgets: Budget, subject: str = "ann", amount: int = 9, at_us: int = 0
    ) -> Call:
        """A call that is in the present windows of these."""
        now = at_us or now_us()
        charges = [
            Charge(
                Window(it.budget_id, subject, window_of(it, now)[0]),
                Counted.MONEY,
                amount,
                LIMIT,
                LIMIT,
            )
            for it in budgets
        ]
        payer = Payer(WorkspaceId("ws_00000001"), user_id=subject)
        call = Call(CallId(new_id("call")), payer, MODEL_CALL, "x/y", now, EXPECTED, tuple(charges))
        await self.ledger.open(call, "me")
        return call

    async def settle(self, call: Call) -> None:
        """It took 5."""
        await self.ledger.settle(call.call_id, TOOK, call.charges)

    async def forget(self, later_us: int = 0, piece: int = 3) -> None:
        """Forget what is over by then."""
        self.ahead_us = later_us
        await Pruning(self.budgets, SqlWindows(self.database), self.clock, piece).once()

    async def use(self, window: Window) -> Use | None:
        """What the window has, None if there is none."""
        here = [windows.c[name] == value for name, value in window._asdict().items()]
        query = select(windows.c.spent, windows.c.reserved).where(*here)
        row = await self.database.read(lambda it: it.execute(query).one_or_none())
        return None if row is None else Use(*row)

    async def count(self, table: Table) -> int:
        """How many rows there are."""
        query = select(func.count()).select_from(table)
        return int(await self.database.read(lambda it: it.execute(query).scalar_one()))

    async def close(self) -> None:
        await self.ledger.close()


made = on_each_kind(Books, metadata)


@pytest.fixture
async def books(made: Books, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Between two pieces there is no pause."""
    monkeypatch.setattr(rules, "PAUSE_S", 0.0)
    yield made
    await made.close()


async def test_a_settled_call_needs_no_booking(books: Books) -> None:
    """The window has the sum; one that still runs, or may be settled late, keeps its own."""
    month, once = await books.budget(Span.MONTH), await books.budget(Span.ONCE)
    running = await books.open(month, once)
    for _ in range(7):
        await books.settle(await books.open(month, once))
    await books.forget()
    assert await books.count(bookings) == 2
    window = running.charges[0].window
    assert await books.use(window) == Use(35, 9)
    await books.ledger.abandon("me")
    await books.forget()
    assert await books.count(bookings) == 2
    await books.settle(running)
    assert await books.use(window) == Use(40, 0)
    await books.forget()
    assert await books.count(bookings) == 0


async def test_what_nobody_settles_is_forgotten_in_the_end(books: Books) -> None:
    """A week after the call was begun; then its late end moves nothing."""
    once = await books.budget(Span.ONCE)
    call = await books.open(once)
    await books.ledger.abandon("me")
    await books.forget(LATE_US - DAY_US)
    assert await books.count(bookings) == 1
    await books.forget(LATE_US + 1)
    assert await books.count(bookings) == 0
    await books.settle(call)
    assert await books.use(call.charges[0].window) == Use(3, 0)


@pytest.mark.parametrize("span", [Span.MINUTE, Span.HOUR, Span.DAY, Span.MONTH])
async def test_a_window_is_forgotten_an_hour_after_its_end(books: Books, span: Span) -> None:
    """Not before, and never while a call has something reserved in it."""
    budget = await books.budget(span)
    calls = [await books.open(budget, subject=f"user_{it}") for it in range(8)]
    for call in calls[1:]:
        await books.settle(call)
    end_us = window_of(budget, calls[0].start_us)[1]
    await books.forget(end_us + KEPT_US - now_us() - 5_000_000)
    assert await books.count(windows) == 8
    await books.forget(end_us + KEPT_US - now_us())
    assert await books.count(windows) == 1
    await books.settle(calls[0])
    await books.forget(end_us + KEPT_US - now_us())
    assert await books.count(windows) == 0


async def test_what_counts_once_is_kept_but_for_turns(books: Books) -> None:
    """A turn is over in a week; a person or a conversation never is."""
    user = await books.budget(Span.ONCE)
    turn = await books.budget(Span.ONCE, Scope.TURN)
    await books.settle(await books.open(user))
    for number in range(5):
        await books.settle(await books.open(turn, subject=f"conv_1/turn_{number}"))
    await books.forget(LATE_US - DAY_US)
    assert await books.count(windows) == 6
    await books.forget(LATE_US + DAY_US)
    assert await books.count(windows) == 1


async def test_of_a_budget_that_is_gone_no_windows_are_kept(books: Books) -> None:
    """Nor of one that counts otherwise by now; calls under way are settled as ever."""
    day, once = await books.budget(Span.DAY), await books.budget(Span.ONCE)
    running = await books.open(once)
    for number in range(5):
        await books.settle(await books.open(day, once, subject=f"user_{number}"))
    await books.budgets.delete(GLOBAL, once.name)
    await books.forget()
    assert await books.count(windows) == 6
    await books.settle(running)
    await books.budget(Span.DAY, counted=Counted.CALLS)
    await books.forget()
    assert (await books.count(windows), await books.count(bookings)) == (0, 0)


async def test_a_window_that_was_forgotten_is_made_anew(books: Books) -> None:
    """By servers that remember it, beside windows that are still there."""
    day, gone = await books.budget(Span.DAY), await books.budget(Span.ONCE)
    await books.settle(await books.open(day, gone))
    await books.budgets.delete(GLOBAL, gone.name)
    await books.forget()
    calls = await asyncio.gather(*(books.open(day, gone) for _ in range(3)))
    assert await books.use(calls[0].charges[0].window) == Use(5, 27)
    assert await books.use(calls[0].charges[1].window) == Use(0, 27)


async def test_a_late_end_in_a_window_that_is_gone_leaves_nothing(books: Books) -> None:
    """What it brings back is over, too."""
    hour = await books.budget(Span.HOUR)
    call = await books.open(hour)
    await books.ledger.abandon("me")
    await books.forget(2 * DAY_US)
    assert (await books.count(windows), await books.count(bookings)) == (0, 1)
    await books.settle(call)
    await books.forget(2 * DAY_US)
    assert (await books.count(windows), await books.count(bookings)) == (0, 0)


async def test_where_nothing_is_over_nothing_is_written(books: Books) -> None:
    """However often it is looked for."""
    day, once = await books.budget(Span.DAY), await books.budget(Span.ONCE)
    await books.open(day, once)
    await books.settle(await books.open(day, once))
    await books.forget()
    before = books.database.writes
    for _ in range(3):
        await books.forget()
    assert books.database.writes == before


async def test_no_piece_is_larger_than_it_may_be(books: Books) -> None:
    """Of several budgets together."""
    each = [await books.budget(Span.DAY), await books.budget(Span.HOUR)]
    for number in range(4):
        await books.settle(await books.open(*each, subject=f"user_{number}"))
    store, at = SqlWindows(books.database), now_us()
    assert await store.forget_bookings(at, 5) == 5
    assert await store.forget_bookings(at, 5) == 3
    over = [Over(it.budget_id, 2**62, 2**62) for it in each]
    assert await store.forget_windows(over, 5) == 5
    assert await books.count(windows) == 3
    assert await store.forget_windows(over, 5) == 3


async def test_many_budgets_are_looked_through(books: Books) -> None:
    """More than are looked for at once."""
    day = await books.budget(Span.DAY)
    many = [Budget(f"budget_{it:03}", *_rest(day)) for it in range(150)]  # type: ignore[arg-type]
    await books.settle(await books.open(day, *many))
    await books.forget()
    assert (await books.count(windows), await books.count(bookings)) == (1, 0)


def _rest(budget: Budget) -> tuple[object, ...]:
    return tuple(getattr(budget, name) for name in Budget.__slots__[1:])


async def test_calls_that_begin_and_end_meanwhile_lose_nothing(books: Books) -> None:
    """Neither a booking nor a sum, in windows that end, that stay, and that are gone."""
    minute, once = await books.budget(Span.MINUTE), await books.budget(Span.ONCE)
    gone = await books.budget(Span.ONCE, Scope.WORKSPACE)
    await books.budgets.delete(GLOBAL, gone.name)
    past_us = now_us() - DAY_US  # its minute is long over: all of it may go between two calls
    over = asyncio.Event()

    async def forget() -> None:
        while not over.is_set():
            await books.forget(piece=2)

    async def one(number: int) -> int:
        await asyncio.sleep(number % 16 / 1000)
        user = f"user_{number % 3}"
        try:
            call = await books.open(minute, once, gone, subject=user, at_us=past_us)
        except WindowFull:
            return 0
        assert await books.count(bookings) >= 3
        use = await books.use(call.charges[0].window)
        assert use is not None
        assert use.reserved >= 9
        await books.settle(call)
        return 1

    forgetting = [asyncio.create_task(forget()) for _ in range(2)]
    made = 0
    for _ in range(6):
        made += sum(await asyncio.gather(*map(one, range(40))))
    over.set()
    await asyncio.gather(*forgetting)
    assert made == 240
    await books.forget()
    spent = [await books.use(Window(once.budget_id, f"user_{it}", 0)) for it in range(3)]
    assert sum(it.spent for it in spent if it) == 5 * made
    assert not any(it.reserved for it in spent if it)
    assert (await books.count(windows), await books.count(bookings)) == (3, 0)
