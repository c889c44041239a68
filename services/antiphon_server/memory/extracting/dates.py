"""Resolves what people say of when: "yesterday", "last spring", "since 2019", "am 3. Mai".

Days are those of UTC, since nobody knows in which zone somebody wrote.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Dated:
    """When something was said to be: from a day until before another one.

    ``since``: it goes on. ``words`` said so.
    """

    first: date
    last: date
    since: bool
    words: str

    @property
    def from_us(self) -> int:
        """Microseconds since 1970."""
        return _microseconds(self.first)

    @property
    def until_us(self) -> int:
        """Microseconds since 1970."""
        return _microseconds(self.last)

    @property
    def iso(self) -> str:
        """The day, month or year, as short as it is exact."""
        days = (self.last - self.first).days
        if days <= 1:
            return self.first.isoformat()
        if days <= 10:
            return f"{self.first.isoformat()}/{(self.last - timedelta(1)).isoformat()}"
        return self.first.isoformat()[:7] if days <= 100 else self.first.isoformat()[:4]


@dataclass(frozen=True, slots=True)
class DateWords:
    """How a language says when.

    ``numbers``, ``units`` (days, or `month`, `year`), ``weekdays``, ``months`` and ``seasons`` by
    their words; ``patterns`` name what to do with the groups n, u, w, m, s, d and y.
    """

    numbers: Mapping[str, int]
    units: Mapping[str, str]
    weekdays: Mapping[str, int]
    months: Mapping[str, int]
    seasons: Mapping[str, int]
    patterns: Sequence[tuple[str, str]]


class Calendar:
    """Finds dates in the sentences of one language."""

    def __init__(self, words: DateWords) -> None:
        self._words = words
        places = {
            "N": rf"(?P<n>\d{{1,3}}|{_any(words.numbers)})",
            "U": rf"(?P<u>{_any(words.units)})",
            "W": rf"(?P<w>{_any(words.weekdays)})",
            "M": rf"(?P<m>{_any(words.months)})",
            "S": rf"(?P<s>{_any(words.seasons)})",
            "D": r"(?P<d>[12]\d|3[01]|0?[1-9])",
            "Y": r"(?P<y>19\d\d|20\d\d)",
        }
        self._patterns = [
            (re.compile(rf"\b(?:{_filled(pattern, places)})(?!\w)", re.IGNORECASE), way)
            for pattern, way in words.patterns
        ]

    def find(self, sentence: str, said_us: int, ahead: bool) -> Dated | None:
        """The first one, by the order of patterns; ``ahead``: what is meant is yet to come."""
        said = datetime.fromtimestamp(said_us / 1e6, UTC).date()
        for pattern, way in self._patterns:
            found = pattern.search(sentence)
            if found is None:
                continue
            try:
                span = self._resolved(way, found, said, ahead)
            except (ValueError, OverflowError, LookupError):  # a letter that only looks like one
                continue
            if span is not None:
                return Dated(*span, way.startswith("since"), found[0])
        return None

    def _resolved(self, way: str, found: re.Match[str], said: date, ahead: bool) -> Span | None:
        name, _, argument = way.removeprefix("since ").partition(":")
        ways: Mapping[str, Callable[[], Span | None]] = {
            "day": lambda: _day(said + timedelta(int(argument))),
            "unit": lambda: self._shifted(found, said, int(argument)),
            "moved": lambda: self._moved(found, said, ahead, int(argument)),
            "weekday": lambda: self._weekday(found, said, ahead, argument),
            "weekend": lambda: _weekend(said, int(argument)),
            "season": lambda: self._season(found, said, ahead),
            "date": lambda: self._date(found, said, ahead),
            "month": lambda: self._month(found, said, ahead),
            "of_month": lambda: _of_month(int(found["d"]), said, ahead),
            "year": lambda: (date(int(found["y"]), 1, 1), date(int(found["y"]) + 1, 1, 1)),
            "christmas": lambda: _near(
                said, ahead, lambda year: (date(year, 12, 24), date(year, 12, 27))
            ),
            "easter": lambda: _near(said, ahead, _easter),
        }
        return ways[name]()

    def _number(self, word: str) -> int:
        return int(word) if word.isdigit() else self._words.numbers[word.lower()]

    def _shifted(self, found: re.Match[str], said: date, by: int) -> Span:
        """The week, month or year so many before or after this one."""
        return _period(self._words.units[found["u"].lower()], said, by)

    def _moved(self, found: re.Match[str], said: date, ahead: bool, sign: int) -> Span | None:
        """So many days, weeks, months or years away."""
        if sign > 0 and not ahead:
            return None  # "in two days" says how long it took
        count = sign * self._number(found["n"])
        unit = self._words.units[found["u"].lower()]
        if unit == "day":
            return _day(said + timedelta(count))
        if unit == "week":
            return _day(said + timedelta(7 * count))
        return _period(unit, said, count)

    def _weekday(self, found: re.Match[str], said: date, ahead: bool, argument: str) -> Span:
        wanted = self._words.weekdays[found["w"].lower()]
        if argument == "week":
            return _day(said + timedelta((wanted - said.weekday() - 1) % 7 + 8))
        if argument == "next" or (ahead and argument != "last"):
            return _day(said + timedelta((wanted - said.weekday() - 1) % 7 + 1))
        return _day(said - timedelta((said.weekday() - wanted - 1) % 7 + 1))

    def _season(self, found: re.Match[str], said: date, ahead: bool) -> Span:
        month = self._words.seasons[found["s"].lower()]
        return _near(
            said, ahead, lambda year: (date(year, month, 1), _months_on(date(year, month, 1), 3))
        )

    def _month(self, found: re.Match[str], said: date, ahead: bool) -> Span:
        month = self._words.months[found["m"].lower()]
        groups = found.groupdict()
        if groups.get("y"):
            first = date(int(groups["y"]), month, 1)
            return first, _months_on(first, 1)
        return _near(
            said, ahead, lambda year: (date(year, month, 1), _months_on(date(year, month, 1), 1))
        )

    def _date(self, found: re.Match[str], said: date, ahead: bool) -> Span:
        month, day = self._words.months[found["m"].lower()], int(found["d"])
        groups = found.groupdict()
        if groups.get("y"):
            return _day(date(int(groups["y"]), month, day))
        return _near(said, ahead, lambda year: _day(date(year, month, day)))


def _day(day: date) -> Span:
    return day, day + timedelta(1)


def _months_on(first: date, count: int) -> date:
    months = first.year * 12 + first.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def _period(unit: str, said: date, by: int) -> Span:
    if unit == "day":
        return _day(said + timedelta(by))
    if unit == "week":
        monday = said - timedelta(said.weekday()) + timedelta(7 * by)
        return monday, monday + timedelta(7)
    if unit == "month":
        first = _months_on(said.replace(day=1), by)
        return first, _months_on(first, 1)
    return date(said.year + by, 1, 1), date(said.year + by + 1, 1, 1)


def _weekend(said: date, by: int) -> Span:
    saturday = said - timedelta(said.weekday()) + timedelta(5)
    if (by < 0 and said.weekday() < 5) or (by < 0 and saturday >= said):
        saturday -= timedelta(7)
    return saturday, saturday + timedelta(2)


def _near(said: date, ahead: bool, of: Callable[[int], Span]) -> Span:
    """That of this year, or of the next one or the last one, as it has to be ahead or not."""
    span = of(said.year)
    if ahead and span[1] <= said:
        return of(said.year + 1)
    return of(said.year - 1) if not ahead and span[0] > said else span


def _easter(year: int) -> Span:
    """From Good Friday to Easter Monday, by the anonymous Gregorian computus."""
    golden, century, within = year % 19, year // 100, year % 100
    epact = (19 * golden + century - century // 4 - (8 * century + 13) // 25 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (within // 4) - epact - within % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    months = epact + weekday - 7 * late + 114
    sunday = date(year, months // 31, months % 31 + 1)
    return sunday - timedelta(2), sunday + timedelta(2)


def _of_month(day: int, said: date, ahead: bool) -> Span:
    first = said.replace(day=1)
    if ahead and day < said.day:
        first = _months_on(first, 1)
    elif not ahead and day > said.day:
        first = _months_on(first, -1)
    return _day(first.replace(day=day))


def _any(words: Mapping[str, object]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def _filled(pattern: str, places: Mapping[str, str]) -> str:
    return re.sub(r"<([A-Z])>", lambda it: places[it[1]], pattern)


def _microseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
