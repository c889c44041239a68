"""Budgets' windows: what calls may take is reserved, and what they took is booked.

All is a part of the transaction that opens or settles the calls. Windows are locked in the order of
their keys as Python has it (a database may sort text otherwise), so that two servers never wait for
each other. A group of calls is planned on what the
windows have while they are locked; the updates say once more that nothing goes beyond a limit.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, false, or_, select, true, update

from antiphon_server.integration.ledger.adapters.tables import bookings, calls, windows
from antiphon_server.integration.ledger.model import (
    BudgetId,
    Call,
    CallId,
    Charge,
    Counted,
    Full,
    Outcome,
    Overrun,
    Reached,
    Use,
    Window,
    WindowFull,
)
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.storage.statements import PreparedIn, PreparedInsert, Row, Values

MOST_KNOWN = 10_000
MOST_LOCKED = 64
"""Windows that one statement locks: SQLite takes no condition of a thousand parts."""
_COUNTED_BY = (calls.c.cost_micros, calls.c.input_tokens, calls.c.output_tokens)
_BOOK = PreparedInsert(bookings)
_BEGIN = PreparedInsert(windows, " ON CONFLICT DO NOTHING")
# The rows are there: SQLite changes several of them by an upsert at a sixth of an UPDATE's cost.
_RESERVE = PreparedInsert(  # its column "spent" has the limit
    windows,
    " ON CONFLICT (budget_id, subject, start_us) DO UPDATE SET"
    f" reserved = {windows.name}.reserved + excluded.reserved,"
    f" warned = {windows.name}.warned OR excluded.warned"
    f" WHERE excluded.reserved <= excluded.spent - {windows.name}.spent - {windows.name}.reserved",
)
_MOVE = PreparedInsert(
    windows,
    " ON CONFLICT (budget_id, subject, start_us) DO UPDATE SET"
    f" spent = {windows.name}.spent + excluded.spent,"
    f" reserved = {windows.name}.reserved + excluded.reserved",
)
_WARNED = select(*(windows.c[name] for name in Window._fields)).where(
    windows.c.budget_id == bindparam("b_budget_id"),
    windows.c.start_us >= bindparam("b_from_us"),
    windows.c.warned.is_(true()),
)
_SPEND = PreparedInsert(
    bookings,
    " ON CONFLICT (call_id, budget_id) DO UPDATE SET spent = excluded.spent, reserved = 0",
)


def _by_key(number: int) -> Any:
    return and_(*(windows.c[name] == bindparam(f"{name}_{number}") for name in Window._fields))


def _found(numbers: range) -> Any:
    keys = [windows.c[name] for name in Window._fields]
    found = select(*keys, windows.c.spent, windows.c.reserved, windows.c.warned)
    return found.where(or_(*map(_by_key, numbers)))


def _locked(numbers: range) -> Any:
    as_given = case(*((_by_key(it), it) for it in numbers))
    return _found(numbers).order_by(as_given).with_for_update()


_FOUND, _LOCKED = PreparedIn(_found), PreparedIn(_locked)
_WARN_ANEW = PreparedIn(
    lambda numbers: update(windows).where(or_(*map(_by_key, numbers))).values(warned=false())
)


class _Booking(NamedTuple):
    call_id: CallId
    budget_id: BudgetId
    subject: str
    start_us: int
    counted: Counted
    reserved: int
    spent: int

    @classmethod
    def made(cls, call: CallId, charge: Charge) -> "_Booking":
        """The one that reserves it."""
        return cls(call, *charge.window, charge.counted, charge.amount, 0)

    @property
    def window(self) -> Window:
        """Whose part it is."""
        return Window(self.budget_id, self.subject, self.start_us)


_BOOKED = PreparedIn(
    lambda numbers: (
        select(*(bookings.c[name] for name in _Booking._fields))
        .join(calls, calls.c.call_id == bookings.c.call_id)
        .where(or_(*(bookings.c.call_id == bindparam(f"call_id_{it}") for it in numbers)))
        .where(or_(calls.c.outcome.is_(None), calls.c.outcome == Outcome.UNKNOWN.value))
        .order_by(bookings.c.call_id, bookings.c.budget_id)
        # Both: whoever has waited for another one's commit sees what that one has booked.
        .with_for_update()
    )
)
_LOST = (
    select(*(bookings.c[name] for name in _Booking._fields), *_COUNTED_BY)
    .join(calls, calls.c.call_id == bookings.c.call_id)
    .where(bookings.c.reserved > 0, calls.c.outcome == Outcome.UNKNOWN.value)
    .order_by(bookings.c.call_id, bookings.c.budget_id)
)
Consumed = Callable[[Counted], int | None]
"""How much of that a call consumed; None if nobody knows."""


class LimitPassed(Exception):
    """A window has less left than was read of it a moment before: nothing is to be committed."""


class WindowsGone(Exception):
    """Windows that were known have been pruned: the same once more makes them anew."""


class Reserving:
    """Reserves; remembers which windows there are, since most calls find theirs."""

    def __init__(self) -> None:
        self._known = LruCache[Window, bool](MOST_KNOWN)

    def reserve(
        self, connection: Connection, opened: Sequence[Call]
    ) -> list[WindowFull | Sequence[Reached]]:
        """Reserve what calls may take, each all of it or nothing; what comes of each, in order."""
        plan = _Plan(self._lock(connection, {it.window for call in opened for it in call.charges}))
        results = [plan.take(call) for call in opened]
        changes = plan.changes()
        if _RESERVE.run(connection, changes) != len(changes):
            raise LimitPassed
        _BOOK.run(connection, plan.booked)
        return results

    def committed(self, opened: Iterable[Call]) -> None:
        """Remember that the windows of those calls are there."""
        for window in {charge.window for call in opened for charge in call.charges}:
            self._known.put(window, True)

    def _lock(
        self, connection: Connection, wanted: Collection[Window]
    ) -> dict[Window, tuple[Use, bool]]:
        """What the windows have; those that are new begin with nothing.

        New ones are made before any is locked: whoever waits for another's new window holds none.
        """
        ordered = sorted(wanted)
        new = [it for it in ordered if self._known.get(it) is None]
        made = {"made_us": time.time_ns() // 1000}
        _BEGIN.run(connection, [{**_row(it), **made} for it in new])
        keys = [it._asdict() for it in ordered]
        rows = [row for part in _parts(keys) for row in _LOCKED.rows(connection, part)]
        if len(rows) < len(ordered):
            for it in ordered:
                self._known.pop(it)
            raise WindowsGone
        return {
            Window(BudgetId(budget), subject, start): (Use(spent, reserved), bool(warned))
            for budget, subject, start, spent, reserved, warned in rows
        }


def check(connection: Connection, charges: Sequence[Charge]) -> None:
    """Raise WindowFull if a call with those charges does not fit now; nothing is reserved."""
    keys = [it.window._asdict() for it in charges]
    rows = [row for part in _parts(keys) for row in _FOUND.rows(connection, part)]
    uses = {Window(*row[:3]): Use(*row[3:5]) for row in rows}
    full = _full((it, uses.get(it.window, Use(0, 0))) for it in charges)
    if full:
        raise WindowFull(*full)


class Taken(NamedTuple):
    """What a call that is open was charged, and what it consumed."""

    call_id: CallId
    charges: Sequence[Charge]
    consumed: Consumed


def settle_open(connection: Connection, taken: Sequence[Taken]) -> dict[CallId, list[Overrun]]:
    """Book what calls consumed that the transaction has found open."""
    consumed = {it.call_id: it.consumed for it in taken}
    rows = [_Booking.made(it.call_id, charge) for it in taken for charge in it.charges]
    return _book(connection, rows, lambda row: consumed[row[0]])


def settle(
    connection: Connection, consumed: Mapping[CallId, Consumed]
) -> dict[CallId, list[Overrun]]:
    """Book what those calls consumed that are not settled yet."""
    asked = [{"call_id": it} for it in consumed]
    return _book(connection, _BOOKED.rows(connection, asked), lambda row: consumed[row[0]])


def rebook(connection: Connection, call_id: CallId, consumed: Consumed) -> list[Overrun]:
    """Book of a call that was given up what it has consumed, as far as that is known by now."""
    rows = _BOOKED.rows(connection, [{"call_id": call_id}])
    return _book(connection, rows, lambda _: consumed)[call_id]


def release_lost(connection: Connection) -> None:
    """Book of calls that were given up what was expected of them."""
    _book(connection, [tuple(row) for row in connection.execute(_LOST)], _expected)


def warn_anew(connection: Connection, budget_id: BudgetId, from_us: int) -> None:
    """Have it told once more when little is left of the windows that begin then or later."""
    at = {"b_budget_id": budget_id, "b_from_us": from_us}
    warned = sorted(Window(*row) for row in connection.execute(_WARNED, at))
    for part in _parts([it._asdict() for it in warned]):
        _LOCKED.rows(connection, part)
        _WARN_ANEW.run(connection, part)


class _Plan:
    """What a group of calls takes of windows that nobody else changes meanwhile."""

    def __init__(self, found: Mapping[Window, tuple[Use, bool]]) -> None:
        self._found = found
        self._more: dict[Window, int] = defaultdict(int)
        self._limits: dict[Window, int] = defaultdict(int)
        self._warned: set[Window] = set()
        self.booked: list[Values] = []

    def take(self, call: Call) -> WindowFull | Sequence[Reached]:
        """Take what the call may consume, or nothing if it doesn't fit."""
        for charge in call.charges:
            use = self._use(charge.window)
            if charge.amount and use.used + charge.amount > charge.limit:
                return WindowFull(*_full((it, self._use(it.window)) for it in call.charges))
        reached = [it for charge in call.charges if (it := self._reserved(charge)) is not None]
        self.booked += [_Booking.made(call.call_id, it)._asdict() for it in call.charges]
        return reached

    def changes(self) -> list[Values]:
        """For ``_RESERVE``: what each window has more, its limit, and if it is warned of now."""
        return [
            _row(window, self._limits[window], more, window in self._warned)
            for window, more in self._more.items()
            if more
        ]

    def _use(self, window: Window) -> Use:
        use = self._found[window][0]
        return Use(use.spent, use.reserved + self._more.get(window, 0))

    def _reserved(self, charge: Charge) -> Reached | None:
        window = charge.window
        self._more[window] += charge.amount
        self._limits[window] = max(self._limits[window], charge.limit)
        use = self._use(window)
        if use.used < charge.warn_at or self._found[window][1] or window in self._warned:
            return None
        self._warned.add(window)
        return Reached(charge, use)


def _full(uses: Iterable[tuple[Charge, Use]]) -> list[Full]:
    """Of those charges the ones that don't fit; what is free always does."""
    return [Full(it, use) for it, use in uses if it.amount and use.used + it.amount > it.limit]


def _book(
    connection: Connection, rows: Sequence[Row], consumed: Callable[[Row], Consumed]
) -> dict[CallId, list[Overrun]]:
    moves: dict[Window, list[int]] = defaultdict(lambda: [0, 0])
    spends: list[Values] = []
    overruns: dict[CallId, list[Overrun]] = defaultdict(list)
    late: list[tuple[CallId, Overrun]] = []
    for row in rows:
        booking = _Booking(*row[: len(_Booking._fields)])
        window, reserved, spent = booking.window, booking.reserved, booking.spent
        took = consumed(row)(Counted(booking.counted))
        took = reserved or spent if took is None else took
        moves[window][0] += took - spent
        moves[window][1] -= reserved
        spends.append({**booking._asdict(), "spent": took})
        if 0 < reserved < took:
            overruns[booking.call_id].append(Overrun(window, reserved, took))
        elif not reserved and spent < took:  # it was given up
            late.append((booking.call_id, Overrun(window, spent, took)))
    if len(moves) > 1 and connection.dialect.name != "sqlite":  # which has one writer
        for part in _parts([it._asdict() for it in sorted(moves)]):
            _LOCKED.rows(connection, part)
    _MOVE.run(connection, [_row(it, more, less) for it, (more, less) in moves.items()])
    _SPEND.run(connection, spends)
    uses = _uses(connection, [it.window for _, it in late])
    for call_id, it in late:
        overruns[call_id].append(replace(it, use=uses.get(it.window)))
    return overruns


def _uses(connection: Connection, of: Collection[Window]) -> dict[Window, Use]:
    keys = [it._asdict() for it in sorted(set(of))]
    rows = [row for part in _parts(keys) for row in _LOCKED.rows(connection, part)]
    return {Window(*row[:3]): Use(*row[3:5]) for row in rows}


def _expected(row: Row) -> Consumed:
    cost, *tokens = row[7:]
    amounts = {Counted.MONEY: cost, Counted.TOKENS: sum(tokens), Counted.CALLS: 1}
    return amounts.__getitem__


def _row(window: Window, spent: int = 0, reserved: int = 0, warned: bool = False) -> Values:
    values = {"spent": spent, "reserved": reserved, "warned": warned}
    return {**window._asdict(), **values}


def _parts(items: Sequence[Values]) -> Iterator[Sequence[Values]]:
    return (items[at : at + MOST_LOCKED] for at in range(0, len(items), MOST_LOCKED))
