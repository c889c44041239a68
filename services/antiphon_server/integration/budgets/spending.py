"""What was spent over a range of time: one query, whose groups are told in pages."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import groupby

from antiphon_server.integration.budgets.budgets import now_us
from antiphon_server.integration.budgets.model import GLOBAL, Parent
from antiphon_server.integration.budgets.ports import SpendingReader
from antiphon_server.integration.budgets.spans import zone_asked_for
from antiphon_server.integration.budgets.spent import (
    Clock,
    Group,
    Key,
    Portion,
    SpendingQuery,
    Spent,
)
from antiphon_server.integration.ledger.model import CallKind, Money, Quantities, Usage
from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
)

DAY_US = 86_400_000_000
USUAL_DAYS = 30
MOST_DAYS = 400
USUAL_GROUPS, MOST_GROUPS = 200, 1000
_LATEST_US = 253_370_764_800_000_000
"""The year 9999, beyond which there are no dates."""
_MOST_KIND = (1 << 15) - 1  # that the ledger's table has room for


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks; an unset time is None."""

    parent: Parent
    start_us: int | None
    end_us: int | None
    keys: frozenset[Key]
    time_zone: str
    page_size: int
    page_token: str


class Spending:
    """Sums the ledger."""

    def __init__(self, reader: SpendingReader, clock: Callable[[], int] = now_us) -> None:
        self._reader, self._clock = reader, clock

    async def page(self, asked: Asked) -> tuple[Sequence[Spent], str]:
        """A page of groups, and the token of the next.

        Raises DomainError INVALID_ARGUMENT, PAGE_TOKEN_INVALID.
        """
        listed = f"spending {asked.parent} {asked.start_us} {asked.end_us} {sorted(asked.keys)}"
        listed = f"{listed} {asked.time_zone}"
        found = _position(asked.page_token, listed)
        start_us, end_us, after = found or (*self._range(asked), None)
        limit = page_limit(asked.page_size, USUAL_GROUPS, MOST_GROUPS)
        zone = await zone_asked_for(asked.time_zone, "time_zone")
        query = SpendingQuery(
            "" if asked.parent == GLOBAL else asked.parent,
            start_us,
            end_us,
            asked.keys,
            tuple(clocks(zone, start_us, end_us)),
            after,
            limit + 1,
        )
        groups = list(folded(await self._reader.portions(query)))
        if len(groups) <= limit:
            return groups, ""
        last = map(str, groups[limit - 1].group)
        return groups[:limit], encode_page_token(listed, str(start_us), str(end_us), *last)

    def _range(self, asked: Asked) -> tuple[int, int]:
        """From when until when. Raises DomainError INVALID_ARGUMENT."""
        end_us = asked.end_us
        if end_us is None:
            end_us = max(self._clock() + 1, asked.start_us or 0)
        start_us = asked.start_us
        if start_us is None:
            start_us = max(0, end_us - USUAL_DAYS * DAY_US)
        if not 0 <= start_us <= end_us <= _LATEST_US:
            raise invalid("end_time", "not before start_time, both since 1970")
        if end_us - start_us > MOST_DAYS * DAY_US:
            raise invalid("end_time", f"at most {MOST_DAYS} days after start_time")
        return start_us, end_us


def clocks(zone: tzinfo, start_us: int, end_us: int) -> Iterator[Clock]:
    """What the zone's clocks show over a range: one, and one more for each time they are changed.

    They are looked at once a day of UTC: nowhere are they changed twice in one.
    """
    at = start_us - start_us % DAY_US
    ahead = _ahead(zone, at)
    while at < end_us:
        if (later := _ahead(zone, at + DAY_US)) != ahead:
            changed = _changed(zone, at, at + DAY_US)
            yield Clock(changed, ahead)
            ahead = later
        at += DAY_US
    yield Clock(_LATEST_US, ahead)


def _changed(zone: tzinfo, low: int, high: int) -> int:
    """The first second of between when the clocks show what they do at ``high``."""
    wanted = _ahead(zone, high)
    while high - low > 1_000_000:
        middle = (low + high) // 2_000_000 * 1_000_000
        low, high = (low, middle) if _ahead(zone, middle) == wanted else (middle, high)
    return high


def _ahead(zone: tzinfo, at_us: int) -> int:
    offset = datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * 1_000_000


def folded(portions: Iterable[Portion]) -> Iterator[Spent]:
    """Each group's portions together."""
    for group, each in groupby(portions, lambda it: it.group):
        yield _spent(group, list(each))


def _spent(group: Group, portions: Collection[Portion]) -> Spent:
    costs = tuple(Money(it.currency, it.micros) for it in portions if it.micros)
    unpriced = sum(it.ended for it in portions if not it.currency)
    known = not unpriced and len(costs) < 2
    cost = (costs[0] if costs else Money("USD", 0)) if known else None
    quantities = Quantities(*map(sum, zip(*(it.quantities for it in portions), strict=True)))
    return Spent(
        group,
        Usage(quantities, any(it.estimated for it in portions), cost),
        sum(it.ended for it in portions),
        costs,
        unpriced,
        sum(it.running for it in portions),
        tuple(Money(it.currency, it.held_micros) for it in portions if it.held_micros),
        sum(it.held_tokens for it in portions),
    )


def _position(token: str, listed: str) -> tuple[int, int, Group] | None:
    fields = decode_page_token(token, listed, 2 + len(Group._fields))
    if fields is None:
        return None
    start, end, day, target, kind, *rest = fields
    start_us, end_us = number(start), number(end)
    if not start_us <= end_us <= min(_LATEST_US, start_us + MOST_DAYS * DAY_US):
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    days, kinds = number(day, _LATEST_US // DAY_US), CallKind(number(kind, _MOST_KIND))
    return start_us, end_us, Group(days, target, kinds, *rest)
