"""``antiphon schedules``: made, listed, shown, paused, run and taken away."""

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import typer

from antiphon_server.cli.schedules.times import at_of
from tests.cli.conftest import Run
from tests.cli.test_commands import objects

NIGHTLY = ("--cron", "0 7 29 2 *", "--time-zone", "Europe/Berlin", "--handler", "echo")


@pytest.fixture(scope="module")
def conversation(shared_home: object, address: str, request: pytest.FixtureRequest) -> str:
    """One in which something was said."""
    home = request.getfixturevalue("shared_home")
    shown = home.run("chat", "--once", "hello", "--handler", "echo", "--json")
    return str(json.loads(shown.stdout)["conversation_id"])


@pytest.fixture
def made(antiphon: Run, conversation: str) -> str:
    """One that is due in years."""
    told = antiphon("schedules", "create", conversation, "Sum up", *NIGHTLY, "--json")
    assert told.returncode == 0, told.stderr
    return str(json.loads(told.stdout)["schedule_id"])


def test_one_is_made_and_shown_with_its_next_times(antiphon: Run, conversation: str) -> None:
    """By the clock of the place."""
    told = antiphon(
        *("schedules", "create", conversation, "Sum up the night", "--missed", "one"),
        *("--cron", "0 7 * * *", "--time-zone", "Asia/Tokyo", "--handler", "echo"),
    )
    assert told.returncode == 0, told.stderr
    lines = dict(
        re.split(r"\s{2,}", it, maxsplit=1) for it in told.stdout.splitlines() if it[0] > " "
    )
    assert lines["says"] == "Sum up the night"
    assert (lines["where"], lines["to"], lines["by"]) == (conversation, "echo", "you")
    assert lines["when"] == "0 7 * * * (Asia/Tokyo)"
    assert lines["missed"] == "one (the newest is made up for)"
    assert len(re.findall(r"\d{4}-\d\d-\d\d 07:00 JST", told.stdout)) == 5
    shown = antiphon("schedules", "show", lines["schedule"])
    assert shown.stdout == told.stdout.replace("  you\n", "  local\n")


def test_those_of_one_are_listed_and_so_are_a_conversations_and_a_workspaces(
    antiphon: Run, conversation: str, made: str
) -> None:
    listed = antiphon("schedules", "list").stdout
    (row,) = [it for it in listed.splitlines() if made in it]
    assert re.search(r"-02-29 07:00 CET  0 7 29 2 \* \(Europe/Berlin\)  Sum up", row)
    assert row.endswith(conversation)
    workspace = json.loads(antiphon("conversations", "--json").stdout.splitlines()[0])
    for where in (("-c", conversation), ("-w", workspace["workspace_id"])):
        found = objects(antiphon("schedules", "list", *where, "--json").stdout)
        assert made in {it["schedule_id"] for it in found}
    both = antiphon("schedules", "list", "-c", conversation, "-w", "ws_00000001")
    assert "name two places" in both.stderr


def test_one_is_paused_and_goes_on(antiphon: Run, made: str) -> None:
    paused = antiphon("schedules", "pause", made)
    assert f"`antiphon schedules resume {made}` lets it go on" in paused.stderr
    assert "next       paused" in antiphon("schedules", "show", made).stdout
    assert "  paused  " in antiphon("schedules", "list").stdout
    resumed = antiphon("schedules", "resume", made)
    assert re.search(r"goes on; next: \w+ \d{4}-02-29 07:00 CET\.", resumed.stderr)
    assert json.loads(antiphon("schedules", "pause", made, "--json").stdout)["paused"]


def test_one_is_run_now_and_its_runs_are_listed(
    antiphon: Run, conversation: str, made: str
) -> None:
    assert "Nothing was due yet." in antiphon("schedules", "runs", made).stderr
    ran = antiphon("schedules", "run", made)
    turn = ran.stdout.split()[0]
    assert ran.stdout == f"{turn} in {conversation}\n"
    (row,) = antiphon("schedules", "runs", made).stdout.splitlines()[1:]
    assert re.search(rf"  started +{turn}  {conversation}$", row)
    (told,) = objects(antiphon("schedules", "runs", made, "--json").stdout)
    assert (told["turn_id"], told["conversation_id"]) == (turn, conversation)
    assert turn in antiphon("schedules", "show", made).stdout


def test_each_run_may_have_a_conversation_of_its_own(antiphon: Run, conversation: str) -> None:
    said = ("--new-conversation", "--title", "Report of {due_time}", *NIGHTLY, "--json")
    told = json.loads(antiphon("schedules", "create", conversation, "Write it", *said).stdout)
    shown = antiphon("schedules", "show", told["schedule_id"]).stdout
    assert "a new conversation each time, called “Report of {due_time}”" in shown
    first, second = (antiphon("schedules", "run", told["schedule_id"]).stdout for _ in range(2))
    assert first.split()[-1] != second.split()[-1] != conversation
    listed = objects(antiphon("conversations", "--json").stdout)
    titles = {it["conversation_id"]: it.get("title", "") for it in listed}
    assert re.fullmatch(r"Report of \d{4}-\d\d-\d\d \d\d:\d\d", str(titles[first.split()[-1]]))


def test_one_is_taken_away_and_the_trail_knows(antiphon: Run, made: str) -> None:
    assert f"{made} is gone." in antiphon("schedules", "delete", made).stderr
    gone = antiphon("schedules", "show", made)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert f"you have no schedule {made}: `antiphon schedules list` shows yours" in gone.stderr
    told = antiphon("audit", "tail", "--kind", "schedule_created,schedule_deleted").stdout
    assert told.count(made) == 2


def test_somebody_elses_is_looked_for_where_it_is_said_to_be(
    antiphon: Run, conversation: str
) -> None:
    missing = antiphon("schedules", "show", "sched_00000000", "-c", conversation)
    assert f"`antiphon schedules list --conversation {conversation}` shows" in missing.stderr


WRONG = {
    "neither": ((), "say when: either --at TIME, once, or --cron FIELDS"),
    "both": (("--at", "+1h", "--cron", "* * * * *"), "say when: either"),
    "no time": (("--at", "tomorrow"), "--at tomorrow is no time: write one like 2026-12-24T18:00"),
    "past": (("--at", "2020-01-01T00:00"), "must not be past: write a time that comes"),
    "four fields": (
        ("--cron", "* * * *"),
        "--cron * * * *: that is 4 of five fields; write five fields",
    ),
    "no minute": (("--cron", "61 * * * *"), "--cron 61 * * * *: "),
    "never": (("--cron", "0 0 30 2 *"), "--cron 0 0 30 2 *: "),
    "no zone": (("--cron", "0 7 * * *", "--time-zone", "Berlin"), "there is no such zone; write"),
    "no title": (("--at", "+1h", "--title", "a"), "--title is of --new-conversation"),
}


@pytest.mark.parametrize(("options", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said(
    antiphon: Run, conversation: str, options: tuple[str, ...], said: str
) -> None:
    """With the option, and how one is written."""
    refused = antiphon("schedules", "create", conversation, "a", *options, COLUMNS="1000")
    assert (refused.returncode in (1, 2), refused.stdout) == (True, "")
    assert said in refused.stderr


def test_where_nobody_may_post_nothing_is_made(antiphon: Run) -> None:
    refused = antiphon("schedules", "create", "conv_00000000", "a", "--at", "+1h")
    assert "there is no such conversation, or you have no access to it" in refused.stderr


NOW = datetime(2026, 3, 28, 12, 0, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("+90s", NOW + timedelta(seconds=90)),
        ("+2h", NOW + timedelta(hours=2)),
        ("17:30", datetime(2026, 3, 28, 16, 30, tzinfo=UTC)),
        ("9:00", datetime(2026, 3, 29, 7, 0, tzinfo=UTC)),  # clocks went on an hour that night
        ("2026-12-24T18:00", datetime(2026, 12, 24, 17, 0, tzinfo=UTC)),
        ("2026-12-24T18:00+00:00", datetime(2026, 12, 24, 18, 0, tzinfo=UTC)),
        ("2026-12-24 18:00", datetime(2026, 12, 24, 17, 0, tzinfo=UTC)),
    ],
)
def test_times_are_by_the_clock_of_the_place(written: str, due: datetime) -> None:
    assert at_of(written, BERLIN, NOW) == due


@pytest.mark.parametrize("written", ["25:00", "+", "+1w", "2026-13-01", ""])
def test_what_is_no_time_ends_the_command(written: str) -> None:
    with pytest.raises(typer.Exit):
        at_of(written, BERLIN, NOW)
