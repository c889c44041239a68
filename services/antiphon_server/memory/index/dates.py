"""The time that a query is about: "in May 2023", "im Mai", "le 3 mai", "last summer", "ayer"."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar janvier enero",
            "february februar février fevrier febrero",
            "march märz maerz mars marzo",
            "april avril abril",
            "may mai mayo",
            "june juni juin junio",
            "july juli juillet julio",
            "august août aout agosto",
            "september septembre septiembre",
            "october oktober octobre octubre",
            "november novembre noviembre",
            "december dezember décembre decembre diciembre",
        ),
        start=1,
    )
    for name in names.split()
}
_NAMES = "|".join(_MONTHS)
_MONTH = re.compile(
    rf"(?:\b(?P<before>\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?)?\b(?P<month>{_NAMES})\b"
    r"(?:\s+(?P<after>\d{1,2})(?:st|nd|rd|th)?\b(?!\d))?(?:,?\s+(?:de\s+|of\s+)?(?P<year>(?:19|20)\d\d)\b)?",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
# Days from now where the period begins and ends. "Hier" is "here" to Germans.
_RELATIVE = (
    (re.compile(r"\byesterday\b|\bgestern\b|\bayer\b"
                r"|\b(?:qui|que|quoi|où|est|était|ai|as|a|ont)\b.*\bhier\b",
                re.IGNORECASE), -1, 0),
    (re.compile(r"\b(?:last|this past) week\b|\bletzte[nr]? woche\b|\bsemaine dernière\b"
                r"|\bsemana pasada\b", re.IGNORECASE), -14, 0),
    (re.compile(r"\blast month\b|\bletzten monat\b|\bmois dernier\b|\bmes pasado\b",
                re.IGNORECASE), -62, 0),
)  # fmt: skip
_LAST_YEAR = re.compile(
    r"\blast year\b|\bletzte[ns] jahr\b|\bannée dernière\b|\bl'an dernier\b|\baño pasado\b",
    re.IGNORECASE,
)
_SEASONS = (
    (re.compile(r"\b(?:spring|frühling|frühjahr|printemps|primavera)\b", re.IGNORECASE), (3, 4, 5)),
    (re.compile(r"\b(?:summer|sommer|été|verano)\b", re.IGNORECASE), (6, 7, 8)),
    (re.compile(r"\b(?:autumn|herbst|automne|otoño)\b", re.IGNORECASE), (9, 10, 11)),
    (re.compile(r"\b(?:winter|hiver|invierno)\b", re.IGNORECASE), (12, 1, 2)),
)
_DAY_US = 86_400_000_000
_TOLD_AFTER_US = 7 * _DAY_US  # what happened is often told within days


@dataclass(frozen=True, slots=True)
class Period:
    """A time: some months of any year, or what lies between two moments in microseconds."""

    months: frozenset[int] = frozenset()
    begin_us: int = 0
    end_us: int = 0

    def nearness(self, times_us: NDArray[np.int64]) -> NDArray[np.float32]:
        """1 for times within, 0.5 for those of the week after, else 0."""
        if self.months:
            month = times_us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
            return np.isin(month % 12 + 1, list(self.months)).astype(np.float32)
        after = times_us - self.end_us
        within = (times_us >= self.begin_us) & (after < 0)
        return (within + 0.5 * ((after >= 0) & (after < _TOLD_AFTER_US))).astype(np.float32)


def periods(text: str, now_us: int) -> list[Period]:
    """The times that a query names; `now_us` is when it is asked, 0 if unknown."""
    found = [_of_month(match) for match in _MONTH.finditer(text) if _is_month(match)]
    if not found:
        found = [_between(int(year), 1, int(year) + 1, 1) for year in _YEAR.findall(text)]
    if not found and now_us:
        found = _relative(text, datetime.fromtimestamp(now_us / 1e6, UTC))
    if not found:
        found = [Period(frozenset(months)) for season, months in _SEASONS if season.search(text)]
    return found


def _is_month(match: re.Match[str]) -> bool:
    """Whether it names a month: "may" and "mai" do with a capital, or beside a number."""
    name = match["month"]
    numbered = match["before"] or match["after"] or match["year"]
    return bool(numbered) or name.lower() not in {"may", "march"} or name[0].isupper()


def _plain(name: str) -> str:
    """In small letters; the long s and the dotless i, which patterns take for s and i, as these."""
    return name.casefold().replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")


def _of_month(match: re.Match[str]) -> Period:
    month, year = _MONTHS[_plain(match["month"])], match["year"]
    if not year:
        return Period(frozenset((month,)))
    day = int(match["before"] or match["after"] or 0)
    if 1 <= day <= 28:
        begin = datetime(int(year), month, day, tzinfo=UTC)
        return Period(frozenset(), _us(begin), _us(begin + timedelta(days=1)))
    return _between(int(year), month, int(year) + month // 12, month % 12 + 1)


def _relative(text: str, now: datetime) -> list[Period]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for pattern, begin, end in _RELATIVE:
        if pattern.search(text):
            first, last = today + timedelta(days=begin), today + timedelta(days=end)
            return [Period(frozenset(), _us(first), _us(last))]
    return [_between(now.year - 1, 1, now.year, 1)] if _LAST_YEAR.search(text) else []


def _between(year: int, month: int, last_year: int, last_month: int) -> Period:
    begin = datetime(year, month, 1, tzinfo=UTC)
    return Period(frozenset(), _us(begin), _us(datetime(last_year, last_month, 1, tzinfo=UTC)))


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
