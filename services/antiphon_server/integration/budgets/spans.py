"""When a budget's windows begin and end."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from antiphon_server.integration.budgets.model import Span

_SECONDS = {Span.MINUTE: 60, Span.HOUR: 3600}


@cache
def zone_of(name: str) -> tzinfo:
    """The time zone, UTC for an empty name; reads a file when it is first asked for.

    Raises ZoneInfoNotFoundError, ValueError, OSError.
    """
    return ZoneInfo(name) if name else UTC


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
    first = today.replace(hour=0, minute=0, second=0, microsecond=0)
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
