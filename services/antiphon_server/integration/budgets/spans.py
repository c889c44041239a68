"""When a budget's windows begin and end."""

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from antiphon_server.integration.budgets.model import Span
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.telemetry.structured import structlog

_SECONDS = {Span.MINUTE: 60, Span.HOUR: 3600}


logger = structlog.get_logger(__name__)


@cache
def zone_of(name: str) -> tzinfo:
    """The time zone, UTC for an empty name; reads a file when it is first asked for.

    One that another server knew and this one doesn't is UTC here: the budget is kept to.
    """
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        logger.warning("a time zone is unknown here, and taken for UTC", time_zone=name)
        return UTC


async def zone_asked_for(name: str, field: str) -> tzinfo:
    """The time zone, by a name of the IANA's database that any server knows.

    A system's own names, such as localtime, differ from server to server. Raises DomainError
    INVALID_ARGUMENT, which names the field.
    """
    if name and name not in await asyncio.to_thread(_names):
        raise invalid(field, "a time zone, such as Europe/Berlin")
    return await asyncio.to_thread(zone_of, name)


@cache
def _names() -> frozenset[str]:
    return frozenset((resources.files("tzdata") / "zones").read_text().split())


def bounds(span: Span, time_zone: str, now_us: int) -> tuple[int, int]:
    """The window that ``now_us`` is in: from the first microsecond to the one behind the last.

    Both are 0 for one without end. Days and months begin at the first moment of their date in the
    time zone: a day has 23 or 25 hours where clocks are changed.
    """
    if span is Span.ONCE:
        return 0, 0
    if seconds := _SECONDS.get(span):
        length = seconds * 1_000_000
        start = now_us - now_us % length
        return start, start + length
    zone = zone_of(time_zone)
    today = datetime.fromtimestamp(now_us / 1e6, zone).replace(tzinfo=None)
    # fold: where clocks go back over midnight, its first one begins the day.
    first = today.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if span is Span.MONTH:
        first = first.replace(day=1)
        behind = (first + timedelta(days=32)).replace(day=1)
    else:
        behind = first + timedelta(days=1)
    return _us(first, zone), _us(behind, zone)


def _us(local: datetime, zone: tzinfo) -> int:
    """That time of the zone's clocks, the earlier of two."""
    aware = local.replace(tzinfo=zone).astimezone(UTC)
    return round(aware.timestamp()) * 1_000_000
