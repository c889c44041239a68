"""``antiphon flags``: who was flagged and why, cleared; detectors shown, set, added, removed."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.context.v1.anomaly_pb2 import Flag
from antiphon_server.cli.flags.words import pairs_of, saw
from tests.cli.conftest import Run

BOTH = """
[[detectors]]
name = "floods"
subject = "user"
effect = "throttle"
effect_duration = "60s"
throttle_per_minute = 5
rate = { most = 4 }

[[detectors]]
name = "spending"
subject = "workspace"
window = "120s"
threshold = 0.5
effect = "review"
disabled = true
cost = { most_tokens = 5000 }
"""
Write = Callable[[str], str]
SET = ("flags", "detectors", "set")
ADD = ("flags", "detectors", "add")
SHOW = ("flags", "detectors", "show")


@pytest.fixture(autouse=True)
def none(antiphon: Run) -> None:
    """No detectors stand before each test."""
    assert antiphon(*SET, "-", stdin="detectors = []").returncode == 0


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of detectors, and says where."""

    def write(text: str) -> str:
        (tmp_path / "detectors.toml").write_text(text)
        return str(tmp_path / "detectors.toml")

    return write


def rows_of(printed: str) -> list[list[str]]:
    """The cells of a table, without its heading."""
    return [re.split(r"  +", line) for line in printed.splitlines()[1:]]


def test_what_is_set_is_shown_in_words_and_as_a_file(antiphon: Run, write: Write) -> None:
    """The file that is printed sets the same; values have their short names."""
    made = antiphon(*SET, write(BOTH), "--comment", "be calm")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines() == ["+ floods", "+ spending"]
    assert rows_of(antiphon(*SHOW).stdout) == [
        [
            *("floods", "on", "rate: 4 messages", "user", "60 s"),
            *("throttles to 5 a minute", "60 s"),
        ],
        [
            *("spending", "off", "cost: 5,000 tokens", "workspace", "120 s"),
            *("is for review", "600 s"),
        ],
    ]
    toml = antiphon(*SHOW, "--toml").stdout
    assert 'effect_duration = "60s"' in toml
    again = antiphon(*SET, "-", stdin=toml)
    assert (again.returncode, again.stdout) == (0, "")
    assert "Nothing changes" in again.stderr
    assert json.loads(antiphon(*SHOW, "--json").stdout)["comment"] == "be calm"


def test_one_is_added_replaced_and_removed(antiphon: Run) -> None:
    """Each is a change of its own; what there is not is said, and what was can be set again."""
    made = antiphon(*ADD, "floods", "--kind", "rate", "--most", "9", "--times", "2.5", "--json")
    told = json.loads(made.stdout)
    assert told["detectors"][0]["rate"] == {"most": 9, "times": 2.5}
    assert antiphon(*ADD, "odd", "--kind", "odd-hours").stdout == "+ odd\n"
    assert rows_of(antiphon(*SHOW).stdout)[1] == [
        "odd",
        "on",
        "odd hours",
        "user",
        "3600 s",
        "is seen",
    ]
    again = antiphon(*ADD, "floods", "--kind", "rate", "--effect", "throttle", "--for", "30")
    assert again.stdout == "~ floods: effect, effect_duration, rate\n"
    assert antiphon("flags", "detectors", "remove", "odd").stdout == "- odd\n"
    gone = antiphon("flags", "detectors", "remove", "odd")
    assert (gone.returncode, gone.stderr.count("there is no detector odd there, only floods")) == (
        1,
        1,
    )
    assert antiphon("flags", "detectors", "restore", told["revision"]).returncode == 0
    newest = rows_of(antiphon("flags", "detectors", "history").stdout)[0]
    assert newest[-2:] == ["local", f"as revision {told['revision']}"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--kind", "rates"), "--kind rates: there are rate, repetition, verdicts, cost, new-p"),
        (("--kind", "odd-hours", "--most", "3"), "--most means nothing to --kind odd-hours"),
        (("--kind", "rate", "--most", "9" * 20), "is too large"),
        (("--kind", "rate", "--times", "1e400"), "is no number"),
        (("--kind", "verdicts", "--times", "3"), "--times means nothing to --kind verdicts"),
        (("--kind", "rate", "--per-minute", "3"), "--per-minute belongs to --effect throttle"),
        (
            ("--kind", "rate", "--effect", "throttle", "--per-minute", "0"),
            "--per-minute 0: write more than 0, or leave it out for what is usual",
        ),
        (("--kind", "rate", "--most", "0"), "--most 0: write more than 0"),
        (("--kind", "rate", "--about", "me"), "--about me: write one of user, session, conv"),
        (("--kind", "rate", "--effect", "stop"), "--effect stop: write one of none, throttle"),
    ],
)
def test_what_does_not_belong_together_is_said(
    antiphon: Run, words: tuple[str, ...], why: str
) -> None:
    """Before anybody is asked."""
    refused = antiphon(*ADD, "it", *words)
    assert (refused.returncode, why in refused.stderr) == (2, True), refused.stderr


def test_what_the_server_refuses_is_said_of_the_file(antiphon: Run, write: Write) -> None:
    """With the detector and the field; those of others are not replaced unseen."""
    sessions = 'name = "it"\nsubject = "session"\ncost = {}'
    refused = antiphon(*SET, write(f"[[detectors]]\n{sessions}"))
    assert refused.returncode == 1
    assert "detectors.toml: detector 1 (it): subject can't be a session" in refused.stderr
    antiphon(*ADD, "floods", "--kind", "rate")
    late = antiphon(*SET, write("detectors = []"), "--if-revision", "0")
    assert "somebody has set other detectors meanwhile: look at them" in late.stderr
    assert "`antiphon flags detectors show --toml`" in late.stderr


def test_who_floods_is_listed_shown_and_cleared(antiphon: Run) -> None:
    """By name, with what was counted, and with the reason in the audit trail."""
    assert "Nobody is flagged by detectors of all workspaces." in antiphon("flags", "list").stderr
    throttle = ("--effect", "throttle", "--per-minute", "1")
    antiphon(*ADD, "floods", "--kind", "rate", "--most", "3", *throttle)
    # The first may come before the detector stands, and one a minute is let through.
    said = [antiphon("chat", "--once", f"hello {it}", "--handler", "echo") for it in range(7)]
    assert said[0].returncode == 0
    assert said[-1].returncode == 1
    assert re.search(r"little is taken for a while; try again in \d+ s\. ", said[-1].stderr)
    assert "ask an admin, who sees why and can clear it" in said[-1].stderr
    [row] = rows_of(antiphon("flags", "list").stdout)
    assert row[2:4] == ["floods", "local"]
    assert row[4].endswith(" messages, 3 are too many")
    assert row[6].startswith("throttles to 1 a minute until ")
    shown = antiphon("flags", "show", row[1]).stdout
    assert "of        local (users/user_" in shown
    assert " messages in its window\n" in shown
    assert json.loads(antiphon("flags", "show", row[1], "--json").stdout)["kind"] == "rate"
    assert antiphon("flags", "list", "--of", "local").stdout.count("flag_") == 1
    cleared = antiphon("flags", "clear", row[1], "a test")
    assert cleared.stderr == "Cleared. What floods had counted of local is forgotten.\n"
    assert "cleared before: a test" in antiphon("flags", "clear", row[1], "another").stderr
    assert antiphon("flags", "list").stdout == ""
    assert antiphon("chat", "--once", "hello again", "--handler", "echo").returncode == 0
    assert rows_of(antiphon("flags", "list", "--cleared").stdout)[0][-1] == "cleared"
    assert " by local: a test" in antiphon("flags", "show", row[1]).stdout
    told = antiphon("audit", "tail", "--kind", "flag_cleared").stdout
    assert "a test" in told.splitlines()[-1]


def test_a_flag_that_is_not_there_is_said(antiphon: Run) -> None:
    """By its id."""
    gone = antiphon("flags", "show", "flag_0123456789")
    assert (gone.returncode, "flag_0123456789" in gone.stderr) == (1, True), gone.stderr


def test_figures_are_for_people() -> None:
    """No parts of messages, and how far beyond the bound it was where the score ends."""
    counted = {"messages": 14.7, "most": 3.0}
    flag = Flag(detector="floods", kind="rate", parent="global", score=1, evidence=counted)
    assert saw(flag) == "about 15 messages, 3 are too many"
    told = [value for _, value in pairs_of(flag, "anna", "")]
    assert "1.00 (4.9 times what is too many for anybody)" in told
    assert "about 15 messages in its window" in told
    assert "3 would be too many for anybody" in told
    exact = Flag(kind="rate", score=1, evidence={"messages": 3, "most": 3})
    assert saw(exact) == "3 messages, 3 are too many"
    assert "1.00" in [value for _, value in pairs_of(exact, "anna", "")]
