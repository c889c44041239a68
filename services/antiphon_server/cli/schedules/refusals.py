"""What the server refuses of a schedule, in the words of the options."""

from collections.abc import Iterator
from contextlib import contextmanager

from antiphon_client import AntiphonError
from antiphon_server.cli.console import CommandError, in_a_line

_MOST = 5
_WRITE = (
    'write five fields in quotes, minute, hour, day of the month, month, day of the week: "0 9 * * '
    'MON-FRI"'
)


@contextmanager
def making(at: str, cron: str) -> Iterator[None]:
    """Say which option is wrong, and how one is written. Raises CommandError."""
    try:
        yield
    except AntiphonError as error:
        if sentence := _sentence(error, at, cron):
            raise CommandError(in_a_line(sentence)) from None
        raise


def _sentence(error: AntiphonError, at: str, cron: str) -> str:
    if error.reason == "NOT_FOUND":
        return (
            "there is no such conversation, or you have no access to it; `antiphon conversations` "
            "lists yours"
        )
    if error.reason == "LIMIT_EXCEEDED" and "schedules" in (
        limit := error.metadata.get("limit", "")
    ):
        return (
            f"there are {limit} already; take one away first (`antiphon schedules list`, `antiphon "
            "schedules delete sched_…`)"
        )
    for field, broken in error.violations.items():
        match field:
            case "schedule.cron.expression":
                fields = len(cron.split())
                wrong = broken if fields == _MOST else f"that is {fields} of five fields"
                return f"--cron {cron}: {wrong}; {_WRITE}"
            case "schedule.cron.time_zone":
                return "the server knows no such --time-zone: write an IANA name, as Europe/Berlin"
            case "schedule.at":
                return f"--at {at} {broken}: write a time that comes, as 2027-01-01T09:00 or +10m"
    return ""
