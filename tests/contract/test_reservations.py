"""Every ledger reserves what calls may take, and books what they took, in one sum."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import bookings, metadata, windows
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    NEVER_MADE,
    TOOL_CALL,
    BudgetId,
    Call,
    CallId,
    Charge,
    Counted,
    Full,
    Money,
    Outcome,
    Overrun,
    Payer,
    Quantities,
    Rated,
    Settlement,
    UnsettledCall,
    Usage,
    UsageFilter,
    Use,
    Window,
    WindowFull,
    WorkspaceId,
)
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind
from tests.fakes.postgres import Postgres

T = TypeVar("T")

WORKSPACE = WorkspaceId("ws_00000001")
EXPECTED = Usage(Quantities(7, 0), True, Money("USD", 3))
SAID = Usage(Quantities(7, 5), True, Money("USD", 8))
PAYER = Payer(WORKSPACE, "conv_00000001", "turn_00000001", "user_1")
DAY, MONTH = Window(BudgetId("a_day"), "user_1", 100), Window(BudgetId("a_month"), "user_1", 100)


class Watched(SqlLedger):
    """A ledger whose tables the tests look into."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.database = database

    async def use(self, window: Window) -> Use:
        """How much of a window is used, which is what its bookings sum up to."""
        of_window = [
            table.c[name] == value
            for table in (windows,)
            for name, value in window._asdict().items()
        ]
        booked = [bookings.c[name] == value for name, value in window._asdict().items()]
        kept = await self.database.read(
            lambda it: it.execute(
                select(windows.c.spent, windows.c.reserved).where(*of_window)
            ).one_or_none()
        )
        rows = await self.database.read(
            lambda it: it.execute(
                select(bookings.c.spent, bookings.c.reserved).where(*booked)
            ).all()
        )
        found = Use(*kept) if kept is not None else Use(0, 0)
        assert found == Use(sum(it[0] for it in rows), sum(it[1] for it in rows))
        return found


ledger = on_each_kind(Watched, metadata)
HELD_S = 0.6


class Slow:
    """A database whose commits are late; see :class:`Database`."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner
        self.shared = inner.shared

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """See :meth:`Database.write`."""

        def slowly(connection: Connection) -> T:
            result = work(connection)
            connection.exec_driver_sql(f"SELECT pg_sleep({HELD_S})")
            return result

        return await self._inner.write(slowly, short=short)

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """See :meth:`Database.read`."""
        return await self._inner.read(work, snapshot=snapshot)

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """See :meth:`Database.scrub`: nobody erases anything here."""

    async def close(self) -> None:
        """It is the test's."""


def charge(amount: int, window: Window = DAY, limit: int = 100, warn_at: int = 1_000) -> Charge:
    """Money, if nothing else is said."""
    return Charge(window, Counted.MONEY, amount, limit, warn_at)


def call(number: int, *charges: Charge) -> Call:
    """A call with those charges."""
    return Call(CallId(f"call_{number:04}"), PAYER, MODEL_CALL, "x/y", number, EXPECTED, charges)


def took(micros: int | None, tokens: tuple[int, int] = (1, 2)) -> Settlement:
    """A success that cost that."""
    cost = None if micros is None else Money("USD", micros)
    return Settlement(Outcome.SUCCEEDED, Usage(Quantities(*tokens), False, cost), 1)


async def refused(ledger: SqlLedger, it: Call) -> WindowFull:
    """Open a call that does not fit."""
    with pytest.raises(WindowFull) as full:
        await ledger.open(it, "me")
    return full.value


async def test_what_a_call_took_is_booked_and_the_rest_is_free(ledger: Watched) -> None:
    """The most is reserved while it runs."""
    first, second = call(1, charge(60)), call(2, charge(60))
    await ledger.open(first, "me")
    assert await ledger.use(DAY) == Use(0, 60)
    full = await refused(ledger, second)
    assert full.full == (Full(second.charges[0], Use(0, 60)),)
    await ledger.settle(first.call_id, took(5), first.charges)
    assert await ledger.use(DAY) == Use(5, 0)
    await ledger.open(second, "me")
    assert await ledger.use(DAY) == Use(5, 60)


async def test_all_windows_that_are_full_are_told(ledger: Watched) -> None:
    """In the order in which the call is charged, without those that would fit."""
    year = Window(BudgetId("a_year"), "user_1", 100)
    charges = charge(60, MONTH, 50), charge(60, year), charge(60, DAY, 40)
    full = await refused(ledger, call(1, *charges))
    assert full.full == (Full(charges[0], Use(0, 0)), Full(charges[2], Use(0, 0)))


async def test_who_asks_whether_a_call_fits_reserves_nothing(ledger: Watched) -> None:
    """All that is full is told, of windows that nobody has used yet, too."""
    await ledger.check([charge(60), charge(0, MONTH, 0)])
    assert await ledger.use(DAY) == Use(0, 0)
    await ledger.open(call(1, charge(60)), "me")
    await ledger.check([charge(40)])
    with pytest.raises(WindowFull) as full:
        await ledger.check([charge(41), charge(51, MONTH, 50)])
    assert [(it.charge.window, it.use) for it in full.value.full] == [
        (DAY, Use(0, 60)),
        (MONTH, Use(0, 0)),
    ]
    assert await ledger.use(DAY) == Use(0, 60)


async def test_a_call_takes_of_all_its_windows_or_of_none(ledger: Watched) -> None:
    """Where the second has too little left the first keeps all."""
    await refused(ledger, call(1, charge(60), charge(60, MONTH, 50)))
    assert await ledger.use(DAY) == Use(0, 0)
    await ledger.open(call(2, charge(100), charge(50, MONTH, 50)), "me")
    assert (await ledger.use(DAY), await ledger.use(MONTH)) == (Use(0, 100), Use(0, 50))


async def test_what_is_settled_twice_is_booked_once(ledger: Watched) -> None:
    """The first settlement stands."""
    it = call(1, charge(60))
    await ledger.open(it, "me")
    for micros in (5, 50):
        await ledger.settle(it.call_id, took(micros), it.charges)
    assert await ledger.use(DAY) == Use(5, 0)


async def test_what_was_given_up_is_booked_as_expected_until_its_end_is_known(
    ledger: Watched,
) -> None:
    """A server that only stood still says later what the call took."""
    it = call(1, charge(60), Charge(MONTH, Counted.TOKENS, 90, 100, 1_000))
    await ledger.open(it, "me")
    await ledger.open(call(2, charge(10)), "another")
    assert await ledger.abandon("me") == 1
    assert (await ledger.use(DAY), await ledger.use(MONTH)) == (Use(3, 10), Use(7, 0))
    await ledger.settle(it.call_id, took(40, (20, 30)), it.charges)
    assert (await ledger.use(DAY), await ledger.use(MONTH)) == (Use(40, 10), Use(50, 0))


@pytest.mark.parametrize("order", ["given up, then known", "known, then given up"])
async def test_what_is_known_of_an_answer_that_was_given_up_is_booked(
    ledger: Watched, order: str
) -> None:
    """Whichever comes first; known twice, or less of it, changes nothing."""
    it = call(1, charge(60), Charge(MONTH, Counted.TOKENS, 90, 100, 1_000))
    await ledger.open(it, "me")
    for what in order.split(", then "):
        if what == "given up":
            assert await ledger.abandon("me") == 1
            continue
        await ledger.expect(it.call_id, SAID)
        assert await ledger.expect(it.call_id, SAID) == ()
        assert await ledger.expect(it.call_id, EXPECTED) == ()
    assert (await ledger.use(DAY), await ledger.use(MONTH)) == (Use(8, 0), Use(12, 0))
    (told,) = await ledger.calls(UsageFilter(WORKSPACE), None, 9)
    assert told.settlement == Settlement(Outcome.UNKNOWN, SAID, 0)


async def test_what_is_known_of_an_answer_frees_nothing_of_an_open_call(ledger: Watched) -> None:
    """Its server may live: what that settles in the end is what counts."""
    it = call(1, charge(60))
    await ledger.open(it, "me")
    await ledger.expect(it.call_id, SAID)
    assert await ledger.use(DAY) == Use(0, 60)
    await ledger.settle(it.call_id, took(5), it.charges)
    assert await ledger.expect(it.call_id, SAID) == ()
    assert await ledger.use(DAY) == Use(5, 0)
    (told,) = await ledger.calls(UsageFilter(WORKSPACE), None, 9)
    assert told.settlement == took(5)


async def test_the_newest_call_of_a_turn_is_found_until_it_is_settled(ledger: Watched) -> None:
    """Not one of another turn, of another kind or of before; with by what it is rated."""
    rated = Rated(1, 2, 3)
    for number in (1, 2):
        await ledger.open(replace(call(number), rated=rated), "me")
    await ledger.open(replace(call(3), kind=TOOL_CALL), "me")
    await ledger.open(replace(call(4), payer=replace(PAYER, turn_id="turn_00000002")), "me")
    found = await ledger.newest_unsettled(PAYER, MODEL_CALL, 1)
    assert found == UnsettledCall(CallId("call_0002"), EXPECTED, rated)
    assert await ledger.newest_unsettled(PAYER, MODEL_CALL, 3) is None
    await ledger.abandon("me")
    assert await ledger.newest_unsettled(PAYER, MODEL_CALL, 1) == found
    await ledger.settle(found.call_id, took(5))
    assert await ledger.newest_unsettled(PAYER, MODEL_CALL, 1) is None


async def test_what_comes_after_it_was_given_up_is_told_with_what_its_window_has(
    ledger: Watched,
) -> None:
    """Others may have taken what was free meanwhile: who is told decides whether it is too much."""
    it = call(1, charge(60))
    await ledger.open(it, "me")
    await ledger.abandon("me")
    await ledger.open(call(2, charge(97)), "another")
    assert await ledger.expect(it.call_id, SAID) == [Overrun(DAY, 3, 8, Use(8, 97))]
    over = await ledger.settle(it.call_id, took(40), it.charges)
    assert over == [Overrun(DAY, 8, 40, Use(40, 97))]


async def test_more_than_reserved_is_booked_and_told(ledger: Watched) -> None:
    """Even beyond the limit: it was consumed."""
    it = call(1, charge(60))
    await ledger.open(it, "me")
    (over,) = await ledger.settle(it.call_id, took(130), it.charges)
    assert (over.window, over.reserved, over.spent) == (DAY, 60, 130)
    assert await ledger.use(DAY) == Use(130, 0)


async def test_what_has_no_known_price_at_its_end_is_booked_as_reserved(ledger: Watched) -> None:
    """Nobody knows better."""
    it = call(1, charge(60))
    await ledger.open(it, "me")
    await ledger.settle(it.call_id, took(None), it.charges)
    assert await ledger.use(DAY) == Use(60, 0)


async def test_what_was_reserved_as_free_is_booked_all_the_same(ledger: Watched) -> None:
    """And fits where nothing is left: only its end tells that it did cost something."""
    full, free = call(1, charge(100)), call(2, charge(0))
    await ledger.open(full, "me")
    await ledger.open(free, "me")
    (over,) = await ledger.settle(free.call_id, took(3), free.charges)
    assert (over.window, over.spent, over.use) == (DAY, 3, Use(3, 100))
    assert await ledger.use(DAY) == Use(3, 100)


async def test_a_call_that_was_not_made_is_none_of_those_that_are_counted(ledger: Watched) -> None:
    """It was written down, and cancelled before it was sent."""
    for number, made in enumerate((True, False)):
        it = call(number, Charge(DAY, Counted.CALLS, 1, 100, 1_000))
        await ledger.open(it, "me")
        await ledger.settle(it.call_id, replace(took(0), made=made), it.charges)
    assert await ledger.use(DAY) == Use(1, 0)


async def test_a_window_is_warned_of_once(ledger: Watched) -> None:
    """By the call that reaches the mark."""
    told = [await ledger.open(call(n, charge(30, warn_at=50)), "me") for n in range(3)]
    assert [len(it) for it in told] == [0, 1, 0]
    assert told[1][0].use == Use(0, 60)


@pytest.mark.parametrize("calls", [300])
async def test_those_who_race_never_take_more_than_there_is(ledger: Watched, calls: int) -> None:
    """Of three windows at once, in different orders."""
    each = [Window(BudgetId(f"b{n}"), "", 1) for n in range(3)]
    limits = (1_000, 900, 1_100)

    def one(number: int) -> Call:
        charges = [charge(7 + number % 5, w, limit) for w, limit in zip(each, limits, strict=True)]
        return call(number, *(charges[::-1] if number % 2 else charges))

    async def make(number: int) -> int:
        it = one(number)
        try:
            await ledger.open(it, "me")
        except WindowFull:
            return 0
        await ledger.settle(it.call_id, took(it.charges[0].amount), it.charges)
        return it.charges[0].amount

    spent: Sequence[int] = await asyncio.gather(*map(make, range(calls)))
    for window in each:
        assert await ledger.use(window) == Use(sum(spent), 0)
    assert 880 < sum(spent) <= 900


async def test_calls_each_with_windows_of_their_own_are_reserved_at_once(ledger: Watched) -> None:
    """As many as a group has, of five budgets."""
    each = [
        call(number, *(charge(1, Window(BudgetId(f"b{n}"), f"turn_{number}", 0)) for n in range(5)))
        for number in range(256)
    ]
    await asyncio.gather(*(ledger.open(it, "me") for it in each))
    for it in each[::50]:
        for of in it.charges:
            assert await ledger.use(of.window) == Use(0, 1)


class Refusing(Watched):
    """Fails behind reservations, as long as it is told to."""

    fails = True

    def _store(self, opened: Any, connection: Connection) -> Any:
        results = super()._store(opened, connection)
        if self.fails:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return results


refusing = on_each_kind(Refusing, metadata)


async def test_a_window_that_was_made_by_what_failed_is_made_again(refusing: Refusing) -> None:
    """Nobody is told of it."""
    with pytest.raises(DomainError, match="STORE_UNAVAILABLE"):
        await refusing.open(call(1, charge(60)), "me")
    refusing.fails = False
    await refusing.open(call(2, charge(60)), "me")
    assert await refusing.use(DAY) == Use(0, 60)


class SlowToCommit(Watched):
    """Holds what it has locked for a while."""

    async def abandon(self, owner: str) -> int:
        inner, self._database = self._database, Slow(self._database)
        try:
            return await super().abandon(owner)
        finally:
            self._database = inner


async def test_what_is_known_while_it_is_given_up_is_booked_once(postgres: Postgres) -> None:
    """The one waits for the other."""
    async with postgres.opened() as database:
        ledger, other, it = Watched(database), SlowToCommit(database), call(1, charge(60))
        await ledger.open(it, "me")
        giving_up = asyncio.create_task(other.abandon("me"))
        await asyncio.sleep(HELD_S / 3)
        assert await ledger.expect(it.call_id, SAID) == [Overrun(DAY, 3, 8, Use(8, 0))]
        assert await giving_up == 1
        assert await ledger.use(DAY) == Use(8, 0)
        await ledger.close()


async def test_what_was_withdrawn_takes_nothing(ledger: Watched) -> None:
    """Whether it was opened or not; of one that was not, nothing is left."""
    it = call(1, charge(60))
    await ledger.open(it, "me")
    for one in (it, call(2, charge(60))):
        await ledger.withdraw(one, "me")
        await ledger.withdraw(one, "me")
    assert await ledger.use(DAY) == Use(0, 0)
    (told,) = await ledger.calls(UsageFilter(WORKSPACE), None, 9)
    assert (told.call_id, told.settlement) == (it.call_id, replace(NEVER_MADE, made=True))


async def test_what_is_opened_while_it_is_withdrawn_takes_nothing(postgres: Postgres) -> None:
    """Its commit was under way when its server had given up waiting for the answer."""
    async with postgres.opened() as database:
        slow, ledger, it = Watched(Slow(database)), Watched(database), call(1, charge(60))
        opening = asyncio.create_task(slow.open(it, "me"))
        await asyncio.sleep(HELD_S / 3)
        await ledger.withdraw(it, "me")
        await opening
        assert await ledger.use(DAY) == Use(0, 0)
        await slow.close()
        await ledger.close()


async def test_who_settles_while_it_is_given_up_books_once(postgres: Postgres) -> None:
    """A server that wakes up while another one gives it up sees what that one booked."""
    async with postgres.opened() as database:
        ledger, other, it = Watched(database), SlowToCommit(database), call(1, charge(60))
        await ledger.open(it, "me")
        giving_up = asyncio.create_task(other.abandon("me"))
        await asyncio.sleep(HELD_S / 3)
        await ledger.settle(it.call_id, took(40), it.charges)
        assert await giving_up == 1
        assert await ledger.use(DAY) == Use(40, 0)
        await ledger.close()
