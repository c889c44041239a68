"""When windows begin and end."""

from datetime import UTC, datetime

import pytest

from antiphon_server.integration.budgets.model import Span
from antiphon_server.integration.budgets.spans import bounds, zone_asked_for, zone_of
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused


def us(text: str) -> int:
    """A time of ISO 8601 in microseconds since the epoch."""
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("span", "zone", "at", "start", "end"),
    [
        (Span.MINUTE, "", "2026-05-01T10:20:59Z", "2026-05-01T10:20:00Z", "2026-05-01T10:21:00Z"),
        (Span.HOUR, "", "2026-05-01T10:20:59Z", "2026-05-01T10:00:00Z", "2026-05-01T11:00:00Z"),
        (Span.DAY, "", "2026-05-01T10:20:59Z", "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"),
        (
            Span.DAY,
            "Europe/Berlin",
            "2026-03-29T12:00:00Z",  # of 23 hours
            "2026-03-29T00:00:00+01:00",
            "2026-03-30T00:00:00+02:00",
        ),
        (
            Span.DAY,
            "America/Santiago",
            "2026-09-06T12:00:00Z",  # whose clocks have no midnight
            "2026-09-06T01:00:00-03:00",
            "2026-09-07T00:00:00-03:00",
        ),
        (
            Span.DAY,
            "Atlantic/Azores",
            "2026-10-25T01:30:00Z",  # the second half past midnight, as in Havana
            "2026-10-25T00:00:00Z",
            "2026-10-26T01:00:00Z",
        ),
        (
            Span.DAY,
            "America/Havana",
            "2026-11-01T05:30:00Z",
            "2026-11-01T04:00:00Z",
            "2026-11-02T05:00:00Z",
        ),
        (
            Span.MONTH,
            "Asia/Kolkata",
            "2026-12-31T20:00:00Z",
            "2027-01-01T00:00:00+05:30",
            "2027-02-01T00:00:00+05:30",
        ),
    ],
)
def test_a_window_is_that_of_the_clock(
    span: Span, zone: str, at: str, start: str, end: str
) -> None:
    """In the budget's time zone, where clocks are changed, too."""
    assert bounds(span, zone, us(at)) == (us(start), us(end))


@pytest.mark.parametrize("name", ["localtime", "posixrules", "right/UTC", "../x", "No/1"])
async def test_what_is_no_name_of_a_zone_is_refused(name: str) -> None:
    """Nor what is one on this system alone."""
    with Refused(Reason.INVALID_ARGUMENT):
        await zone_asked_for(name, "budget.time_zone")


@pytest.mark.parametrize("name", ["", "UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
async def test_names_that_all_know_are_taken(name: str) -> None:
    """Wherever the server runs."""
    assert await zone_asked_for(name, "") == zone_of(name)


def test_a_zone_that_another_server_knew_is_utc_here() -> None:
    """So what is limited by it stays limited."""
    assert zone_of("Moon/Tycho") is UTC


@pytest.mark.parametrize("span", list(Span))
def test_each_moment_is_in_the_window_that_begins_at_its_start(span: Span) -> None:
    """So the window of a start is the same one, and the end begins another."""
    start, end = bounds(span, "Europe/Berlin", us("2026-10-25T00:30:00Z"))
    assert bounds(span, "Europe/Berlin", start) == (start, end)
    assert span is Span.ONCE or bounds(span, "Europe/Berlin", end)[0] == end
