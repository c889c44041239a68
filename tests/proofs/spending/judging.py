"""What must hold of windows, their bookings, the ledger, and what the endpoint served."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, text

from antiphon_server.integration.budgets.budgets import window_of
from antiphon_server.integration.budgets.model import Budget
from antiphon_server.integration.ledger.adapters.tables import bookings, calls, windows
from antiphon_server.integration.ledger.model import Counted, Outcome
from antiphon_server.integration.models.pricing import Tokens
from antiphon_server.integration.models.tokens import tokens_of_prompt
from antiphon_server.runtime.encoding.token_estimate import tokens_of_bytes
from antiphon_server.runtime.storage.database import Database
from tests.integration.world import asking
from tests.proofs.spending.endpoint import CHEAP, DEAR, Market, Talk

MOST_OUTPUT = 40
PROMPT = tokens_of_prompt(asking("What is it?").messages)
UNSEEN = (Outcome.CANCELLED.value, Outcome.UNKNOWN.value)
NOTHING = Tokens(0, 0)


_GOES = """
CREATE TABLE gone_{short} AS SELECT * FROM {table} WHERE 0;
CREATE TRIGGER keep_{short} AFTER DELETE ON {table}
BEGIN INSERT INTO gone_{short} VALUES ({columns}); END
"""


async def keep_what_goes(database: Database) -> None:
    """Have the store (SQLite) keep a copy of each booking and window that is removed."""

    def make(connection: Connection) -> None:
        for short, table in (("bookings", bookings), ("windows", windows)):
            columns = ", ".join(f"OLD.{it.name}" for it in table.columns)
            both = _GOES.format(short=short, table=table.name, columns=columns)
            for statement in both.split(";\n", 1):
                connection.exec_driver_sql(statement)

    await database.write(make)


class Judge:
    """Looks at every step, and at the end; ``broken`` is what was seen on the way."""

    def __init__(self, database: Database, budgets: Sequence[Budget], market: Market) -> None:
        self._database, self._market = database, market
        self._budgets = {str(it.budget_id): it for it in budgets}
        self.broken: list[str] = []
        self.outcomes = Counter[str]()

    async def look(self, talks: Sequence[Talk]) -> None:
        """No window is used beyond its limit, but for one of a call that was given up before."""
        given_up = {str(it.call_id) for it in talks if it.given_up}
        booked = await self._all_booked() if given_up else ()
        late = {_key(it) for it in booked if it.call_id in given_up}
        gone = await self._gone("windows")
        for row in await self._rows(windows):
            if _key(row) in map(_key, gone):
                continue  # over for an hour, and made anew by a server that stood still
            if row.reserved < 0 or row.spent < 0:
                self.broken.append(f"less than nothing: {row}")
            limit = self._budgets[row.budget_id].terms.limit
            if row.spent + row.reserved > limit and _key(row) not in late:
                self.broken.append(f"beyond the limit: {row}")

    async def reserved(self) -> int:
        """How much is reserved in all windows."""
        query = select(func.sum(windows.c.reserved))
        return int(await self._database.read(lambda it: it.execute(query).scalar_one()) or 0)

    async def still_open(self) -> set[str]:
        """The calls whose end is not in the ledger yet."""
        not_known = (None, Outcome.UNKNOWN.value)
        return {row.call_id for row in await self._rows(calls) if row.outcome in not_known}

    async def wrong(self, talks: Sequence[Talk]) -> list[str]:
        """All that is not as it must be."""
        await self.look(talks)
        entries = {row.call_id: row for row in await self._rows(calls)}
        gone, booked = await self._gone("bookings"), await self._all_booked()
        self.outcomes.update(Outcome(row.outcome).name for row in entries.values() if row.outcome)
        return [
            *self.broken,
            *_sums(await self._rows(windows), await self._gone("windows"), booked),
            *_early(entries, gone),
            *self._bookings(entries, booked, talks),
            *_served(entries, talks),
        ]

    async def _rows(self, table: Any) -> list[Any]:
        return await self._database.read(lambda it: list(it.execute(select(table))))

    async def _all_booked(self) -> list[Any]:
        return [*await self._rows(bookings), *await self._gone("bookings")]

    async def _gone(self, short: str) -> list[Any]:
        query = text(f"SELECT * FROM gone_{short}")
        return await self._database.read(lambda it: list(it.execute(query)))

    def _bookings(
        self, entries: Mapping[str, Any], booked: Sequence[Any], talks: Sequence[Talk]
    ) -> Iterator[str]:
        """Each call is booked in all of its windows, where it was begun, with what it consumed."""
        begun = {str(it.call_id): it.begun_us for it in talks if it.call_id is not None}
        asked = {str(it.call_id) for it in talks if it.asked}
        times = Counter(row.call_id for row in booked)
        for call_id in entries:
            if times[call_id] != len(self._budgets):
                yield f"{call_id} is booked {times[call_id]} times"
        for row in booked:
            entry, budget = entries.get(row.call_id), self._budgets[row.budget_id]
            if entry is None or entry.outcome is None:
                yield f"{row.call_id} is booked, and not settled"
                continue
            made = row.call_id in asked or entry.outcome == Outcome.UNKNOWN.value
            if row.spent != _amount(entry, budget.counts.counted, made=made):
                yield f"booked {row.spent} of {entry}"
            at = begun.get(row.call_id)
            if at is not None and row.start_us != window_of(budget, at)[0]:
                yield f"{row.call_id} is booked in another window than its own"


def _key(row: Any) -> tuple[str, str, int]:
    return row.budget_id, row.subject, row.start_us


def _sums(kept: Sequence[Any], gone: Sequence[Any], booked: Sequence[Any]) -> Iterator[str]:
    sums = defaultdict[tuple[str, str, int], list[int]](lambda: [0, 0])
    for row in booked:
        both = sums[_key(row)]
        both[0] += row.spent
        both[1] += row.reserved
    for row in gone:
        if row.reserved:
            yield f"forgotten while it was in use: {row}"
    pruned = set(map(_key, gone))
    for row in kept:
        if [row.spent, row.reserved] != sums[_key(row)] and _key(row) not in pruned:
            yield f"a window is not the sum of its bookings: {row}"
        if row.reserved:
            yield f"still reserved: {row}"


def _early(entries: Mapping[str, Any], gone: Sequence[Any]) -> Iterator[str]:
    """What is forgotten was settled; of what was given up the end may still come."""
    for row in gone:
        entry = entries.get(row.call_id)
        if row.reserved or entry is None or entry.outcome in (None, Outcome.UNKNOWN.value):
            yield f"forgotten before it was settled: {row}, {entry}"


def _amount(entry: Any, counted: Counted, *, made: bool) -> int:
    match counted:
        case Counted.MONEY:
            return int(entry.cost_micros)
        case Counted.TOKENS:
            return int(entry.input_tokens + entry.output_tokens)
        case Counted.CALLS:
            return int(made)


def _served(entries: Mapping[str, Any], talks: Sequence[Talk]) -> Iterator[str]:
    """The ledger is what the endpoint served; what that never saw is free, or as expected."""
    seen = {str(it.call_id): it for it in talks if it.call_id is not None and it.asked}
    for call_id in seen.keys() - entries.keys():
        yield f"{call_id} was served, and is not in the ledger"
    for call_id, entry in entries.items():
        talk = seen.get(call_id)
        if talk is None:
            if entry.outcome not in UNSEEN or not _is_expected(entry):
                yield f"never served: {entry}"
        elif entry.outcome == Outcome.UNKNOWN.value:
            if not talk.killed or not _is_as_recovered(entry, talk):
                yield f"has no known end: {entry}, {talk}"
        elif entry.outcome != talk.outcome.value or not _is_as_served(entry, talk):
            yield f"another thing was served: {entry}, {talk}"


def _is_expected(entry: Any) -> bool:
    """Whose process was killed may have asked, and all others have not."""
    tokens = Tokens(entry.input_tokens, entry.output_tokens)
    known = [it.cost(tokens).micros for it in (CHEAP, DEAR)]
    expected = Tokens(PROMPT, 0) if entry.outcome == Outcome.UNKNOWN.value else NOTHING
    return tokens == expected and entry.cost_micros in known


def _is_as_recovered(entry: Any, talk: Talk) -> bool:
    """The prompt, and of the answer what the log had when its turn was ended."""
    said = min(tokens_of_bytes(talk.recovered), MOST_OUTPUT)
    tokens = Tokens(PROMPT, said)
    assert talk.prices is not None
    known = Tokens(entry.input_tokens, entry.output_tokens)
    return known == tokens and entry.cost_micros == talk.prices.cost(tokens).micros


def _is_as_served(entry: Any, talk: Talk) -> bool:
    tokens = Tokens(entry.input_tokens, entry.output_tokens)
    assert talk.prices is not None
    if entry.cost_micros != talk.prices.cost(tokens).micros:
        return False
    if talk.tokens is not None:
        return tokens == talk.tokens
    free = talk.outcome is Outcome.FAILED and not talk.said and tokens == NOTHING
    return free or tokens == Tokens(PROMPT, min(tokens_of_bytes(talk.said), MOST_OUTPUT))
