"""Times as options have them, and as people read them."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from antiphon_server.cli.console import fail, in_a_line

_SPAN = re.compile(r"\+(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_WRITE = "write one like 2026-12-24T18:00, 17:30 or +10m"


def zone_of(name: str) -> tzinfo | None:
    """A place's; None for this machine's; ends the command if there is none of that name."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        fail(
            f"--time-zone {in_a_line(name)}: there is no such zone; write its IANA name, as "
            "Europe/Berlin or UTC",
            2,
        )


def at_of(written: str, zone: tzinfo | None, now: datetime) -> datetime:
    """The time that --at says by the clock of a place; ends the command if it says none."""
    if span := _SPAN.fullmatch(written):
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    here = now.astimezone(zone)
    try:
        if clock := _CLOCK.fullmatch(written):
            today = datetime.combine(here, time(int(clock[1]), int(clock[2])))
            due = _as_shown(today, zone)
            return due if due > now else _as_shown(today + timedelta(days=1), zone)
        return _as_shown(datetime.fromisoformat(written), zone)
    except ValueError:
        fail(f"--at {in_a_line(written)} is no time: {_WRITE}", 2)


def shown(moment: Timestamp, zone: tzinfo | None) -> str:
    """A time by the clock of a place; empty for none."""
    if not moment.seconds:
        return ""
    return moment.ToDatetime(UTC).astimezone(zone).strftime("%a %Y-%m-%d %H:%M %Z")


def _as_shown(moment: datetime, zone: tzinfo | None) -> datetime:
    """One that names no zone is of the place; of this machine without one."""
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()
