"""Due times, also where clocks are put forward and back."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.scheduling.due_times import DueTimes
from antiphon_server.scheduling.model import Cron

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
HOUR_US = 3600 * 10**6


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return int(moment.timestamp()) * 10**6


def shown(expression: str, zone: str, start: str, count: int) -> list[str]:
    """What clocks show at the first due times behind a time."""
    place = ZoneInfo(zone)
    after = micros(datetime.fromisoformat(start).replace(tzinfo=place))
    found = islice(DueTimes(Cron(expression, zone)).between(after, None), count)
    return [f"{datetime.fromtimestamp(it / 1e6, place):%m-%d %H:%M %z}" for it in found]


@pytest.mark.parametrize(
    ("zone", "start", "expression", "expected"),
    [
        # Clocks skip from 02:00 to 03:00: it comes as soon as they go on, and once.
        (BERLIN, "2026-03-28T12:00", "30 2 * * *", ["03-29 03:00 +0200", "03-30 02:30 +0200"]),
        (BERLIN, "2026-03-28T12:00", "0,30 2 * * *", ["03-29 03:00 +0200", "03-30 02:00 +0200"]),
        (BERLIN, "2026-03-28T12:00", "0 2,3 * * *", ["03-29 03:00 +0200", "03-30 02:00 +0200"]),
        (NEW_YORK, "2026-03-07T12:00", "15 2 * * *", ["03-08 03:00 -0400", "03-09 02:15 -0400"]),
        (LORD_HOWE, "2026-10-03T12:00", "15 2 * * *", ["10-04 02:30 +1100", "10-05 02:15 +1100"]),
        # They show 02:30 twice: the first counts.
        (BERLIN, "2026-10-24T12:00", "30 2 * * *", ["10-25 02:30 +0200", "10-26 02:30 +0100"]),
        (NEW_YORK, "2026-10-31T12:00", "30 1 * * *", ["11-01 01:30 -0400", "11-02 01:30 -0500"]),
        (LORD_HOWE, "2026-04-04T12:00", "45 1 * * *", ["04-05 01:45 +1100", "04-06 01:45 +1030"]),
        # Between both it is not due again.
        (BERLIN, "2026-10-25T02:31", "30 2 * * *", ["10-26 02:30 +0100"]),
        # Each hour goes on through it.
        (
            BERLIN,
            "2026-10-25T01:30",
            "0 * * * *",
            ["10-25 02:00 +0200", "10-25 02:00 +0100", "10-25 03:00 +0100"],
        ),
        (BERLIN, "2026-03-29T01:30", "0 * * * *", ["03-29 03:00 +0200", "03-29 04:00 +0200"]),
        (
            LORD_HOWE,
            "2026-10-03T23:00",
            "0 */4 * * *",
            ["10-04 00:00 +1030", "10-04 04:00 +1100", "10-04 08:00 +1100"],
        ),
        (
            LORD_HOWE,
            "2026-04-05T01:00",
            "*/30 * * * *",
            ["04-05 01:30 +1100", "04-05 01:30 +1030", "04-05 02:00 +1030"],
        ),
        # Clocks are put forward at midnight: the day has none.
        (
            "America/Havana",
            "2026-03-07T12:00",
            "0 0 * * *",
            ["03-08 01:00 -0400", "03-09 00:00 -0400"],
        ),
    ],
)
def test_where_clocks_are_put_forward_and_back(
    zone: str, start: str, expression: str, expected: list[str]
) -> None:
    assert shown(expression, zone, start, len(expected)) == expected


def test_leap_days_and_the_ends_of_months() -> None:
    leap = islice(DueTimes(Cron("0 0 29 2 *", "")).between(micros(datetime(2026, 1, 1)), None), 2)
    assert [datetime.fromtimestamp(it / 1e6, UTC).year for it in leap] == [2028, 2032]
    ends = shown("0 0 L * *", "UTC", "2028-01-01T00:00", 3)
    assert ends == ["01-31 00:00 +0000", "02-29 00:00 +0000", "03-31 00:00 +0000"]
    assert shown("0 0 31 * *", "UTC", "2026-02-01T00:00", 2) == [
        "03-31 00:00 +0000",
        "05-31 00:00 +0000",
    ]
    assert shown("0 9 * * MON-FRI", "UTC", "2026-11-27T10:00", 1) == ["11-30 09:00 +0000"]


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("", ""),
        ("* * * *", ""),
        ("* * * * * *", ""),
        ("@daily", ""),
        ("60 * * * *", ""),
        ("*/0 * * * *", ""),
        ("5-1 * * * *", ""),
        ("0 0 30 2 *", ""),
        ("0 0 30 2 1#6", ""),
        ("* * * * *", "Mars/Olympus"),
        ("* * * * *", "localtime"),
        ("* * * * *", "right/UTC"),
        ("* * * * *", "../etc/passwd"),
        ("* * * * *", "/etc/localtime"),
        ("* * * * *", "Europe"),
        ("* * * * *", "a\0b"),
    ],
)
def test_what_is_none_is_refused(expression: str, zone: str) -> None:
    with pytest.raises(DomainError) as refused:
        DueTimes(Cron(expression, zone))
    assert refused.value.reason is Reason.INVALID_ARGUMENT


ZONES = st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Asia/Kathmandu", "Antarctica/Troll"])
EXPRESSIONS = st.builds(
    "{} {} * * *".format,
    st.sampled_from(["0", "*/7", "30", "15,45", "59", "*"]),
    st.sampled_from(["*", "2", "1-3", "*/2", "0", "23"]),
)
# Around the days at which clocks are put forward or back somewhere.
STARTS = st.builds(
    lambda day, minutes: micros(day + timedelta(minutes=minutes)),
    st.sampled_from(
        [datetime(2026, *it, tzinfo=UTC) for it in [(3, 8), (3, 29), (4, 4), (10, 3), (10, 25)]]
    ),
    st.integers(-600, 1800),
)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, ZONES, STARTS, st.integers(1, 20))
def test_from_wherever_one_looks_they_are_the_same_and_in_order(
    expression: str, zone: str, start: int, hours: int
) -> None:
    times = DueTimes(Cron(expression, zone))
    end = start + 30 * HOUR_US
    whole = list(times.between(start, end))
    assert all(a < b for a, b in pairwise([start, *whole]))
    later = start + hours * HOUR_US
    assert list(times.between(later, end)) == [it for it in whole if it > later]
    if whole:
        assert times.after(start) == whole[0]


@settings(max_examples=60, deadline=None)
@given(ZONES, STARTS)
def test_each_minute_is_each_minute(zone: str, start: int) -> None:
    start -= start % (60 * 10**6)
    found = list(DueTimes(Cron("* * * * *", zone)).between(start, start + 2 * HOUR_US))
    assert found == [start + (it + 1) * 60 * 10**6 for it in range(120)]


@settings(max_examples=60, deadline=None)
@given(ZONES, STARTS, st.integers(0, 23), st.integers(0, 59))
def test_a_named_hour_comes_once_a_day(zone: str, start: int, hour: int, minute: int) -> None:
    found = DueTimes(Cron(f"{minute} {hour} * * *", zone)).between(start, None)
    days = [datetime.fromtimestamp(it / 1e6, ZoneInfo(zone)).date() for it in islice(found, 4)]
    assert all((b - a).days == 1 for a, b in pairwise(days))


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("0 25 * * *", "the hour 25 is none of 0-23"),
        ("60 * * * *", "the minute 60 is none of 0-59"),
        ("0 0 32 * *", "the day of month 32 is none of 1-31"),
        ("0 0 * 13 *", "the month 13 is none of 1-12 or JAN-DEC"),
        ("0 0 * * 9", "the day of week 9 is none of 0-7 or SUN-SAT"),
        ("0 0 31 2 *", "is never due"),
    ],
)
def test_what_is_wrong_is_said(expression: str, why: str) -> None:
    """Which field, what stands there, and what may."""
    with pytest.raises(DomainError) as refused:
        DueTimes(Cron(expression, "UTC"))
    assert refused.value.violations[0].description == why
