"""Due times: when the clock of a place shows what a rule says."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from antiphon_server.runtime.errors import invalid
from antiphon_server.scheduling.model import Cron

_NEAR = timedelta(hours=4)
"""Clocks are put forward and back by less than that at once."""
_NO_PLACE = re.compile("localtime$|posixrules$|posix/|right/")
"""Files beside those of places: one is this machine's own, others count leap seconds."""
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS, _HOUR = 5, 1
_LONGEST = 31
_RANGES = {
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31",
    "month": "1-12 or JAN-DEC",
    "day-of-week": "0-7 or SUN-SAT",
}
"""What may stand in each field, in their order, by what cronsim calls it."""


class DueTimes:
    """Those of a rule.

    What the calendar says is worked out in the time that clocks show, without a zone; each such
    time is then looked up in the zone. Where the hour is named it comes once: the first time if
    clocks show it twice, and as soon as they go on if they skip it. Where any hour will do, it
    comes as often as clocks show it.
    """

    def __init__(self, cron: Cron) -> None:
        """Raises DomainError INVALID_ARGUMENT for what is no expression or no zone."""
        fields = cron.expression.split()
        if len(fields) != _FIELDS:
            raise invalid("schedule.cron.expression", "has five fields")
        self._expression = " ".join(fields)
        self._each_time = fields[_HOUR].startswith("*")
        self._zone = _zone_of(cron.time_zone)
        try:
            next(CronSim(self._expression, datetime(2024, 1, 1)))
        except (CronSimError, StopIteration) as error:
            raise invalid("schedule.cron.expression", _why(fields, str(error))) from None

    def after(self, time_us: int) -> int | None:
        """The first one strictly after that; None if there is none within 50 years."""
        return next(self.between(time_us, None), None)

    def between(self, after_us: int, until_us: int | None) -> Iterator[int]:
        """All that are strictly after one time and not after another, in their order."""
        for found in self._ordered(_EPOCH + timedelta(microseconds=after_us)):
            found_us = (found - _EPOCH) // timedelta(microseconds=1)
            if until_us is not None and found_us > until_us:
                return
            if found_us > after_us:
                yield found_us

    def _ordered(self, start: datetime) -> Iterator[datetime]:
        """Each moment once, those after ``start`` and perhaps some before it.

        It is held until nothing can come before it.
        """
        held: list[datetime] = []
        last = None
        begin = start if self._is_plain(start) else start - _NEAR
        for shown in self._shown(begin.astimezone(self._zone).replace(tzinfo=None)):
            sure = shown.replace(tzinfo=self._zone).astimezone(UTC) - _NEAR
            while held and held[0] < sure:
                moment = held.pop(0)
                if moment != last:
                    yield moment
                last = moment
            held = sorted((*held, *self._moments(shown)))
            if len(held) == 1 and self._is_plain(held[0]):
                last = held.pop()
                yield last
        yield from held

    def _shown(self, start: datetime) -> Iterator[datetime]:
        """What clocks would show if they were never put forward or back."""
        yield from CronSim(self._expression, start)

    def _is_plain(self, moment: datetime) -> bool:
        """Whether clocks are put neither forward nor back around it."""
        return _offset(moment - _NEAR, self._zone) == _offset(moment + _NEAR, self._zone)

    def _moments(self, shown: datetime) -> list[datetime]:
        """When clocks show that: once, twice, or never."""
        found = [it for it in _both(shown, self._zone) if _shows(it, shown, self._zone)]
        if self._each_time:
            return sorted(set(found))
        return [min(found)] if found else [self._behind_gap(shown)]

    def _behind_gap(self, shown: datetime) -> datetime:
        """When clocks go on that skip that."""
        while True:
            shown += _MINUTE
            found = [it for it in _both(shown, self._zone) if _shows(it, shown, self._zone)]
            if found:
                return min(found)


def shown(when: int | Cron, time_us: int) -> datetime:
    """What clocks show at a time: those of a rule's place, else UTC's."""
    zone = _zone_of(when.time_zone) if isinstance(when, Cron) else UTC
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone)


def _both(shown: datetime, zone: tzinfo) -> Iterator[datetime]:
    for fold in (0, 1):
        yield shown.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _shows(moment: datetime, shown: datetime, zone: tzinfo) -> bool:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0) == shown


def _offset(moment: datetime, zone: tzinfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def _why(fields: Sequence[str], error: str) -> str:
    """What is wrong with an expression: which field, what stands there, and what may."""
    for field, (name, known) in zip(fields, _RANGES.items(), strict=True):
        if error == f"Bad {name}":
            if name == "day-of-month" and field.isdigit() and 1 <= int(field) <= _LONGEST:
                return "is never due"  # no such month has so many days
            return f"the {name.replace('-', ' ')} {field} is none of {known}"
    return error or "is never due"


def _zone_of(name: str) -> tzinfo:
    try:
        if not _NO_PLACE.match(name):
            return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, KeyError):
        pass
    raise invalid("schedule.cron.time_zone", "must be an IANA name")


@lru_cache(maxsize=1024)
def due_times(cron: Cron) -> DueTimes:
    """Those of a rule, read once. Raises as :class:`DueTimes`."""
    return DueTimes(cron)
