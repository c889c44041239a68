"""``antiphon filters``: filters shown, set, added, switched, tried, and what they said."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from antiphon.context.v1 import remote_filter_service_pb2
from tests.cli.conftest import Run
from tests.cli.test_commands import objects

BOTH = """
[[filters]]
name = "manners"
action = "block"
terms = { terms = ["blockhead", 'old\\fool'] }

[[filters]]
name = "cards"
action = "sanitise"
stages = ["message", "answer"]
timeout = "0.5s"
on_failure = "open"
disabled = true
personal_data = { categories = ["card"] }
"""
Write = Callable[[str], str]


def described(path: Path) -> str:
    """A file that says what a filter of others serves, as `buf build` makes it."""
    found = FileDescriptorSet()

    def add(file: Any) -> None:
        if file.name not in {it.name for it in found.file}:
            for each in file.dependencies:
                add(each)
            file.CopyToProto(found.file.add())

    add(remote_filter_service_pb2.DESCRIPTOR)
    path.write_bytes(found.SerializeToString())
    return str(path)


@pytest.fixture(autouse=True)
def none(antiphon: Run) -> None:
    """No filters stand before each test."""
    assert antiphon("filters", "set", "-", stdin="filters = []").returncode == 0


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of filters, and says where."""

    def write(text: str) -> str:
        (tmp_path / "filters.toml").write_text(text)
        return str(tmp_path / "filters.toml")

    return write


def test_what_is_set_is_shown_in_words_and_as_a_file(antiphon: Run, write: Write) -> None:
    """The file that is printed sets the same; values have their short names."""
    made = antiphon("filters", "set", write(BOTH), "--comment", "be kind")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines() == ["+ cards", "+ manners"]
    shown = antiphon("filters", "show").stdout.splitlines()
    rows = [re.split(r"  +", line) for line in shown]
    assert rows[1:] == [
        ["manners", "on", "2 terms", "messages, tool results", "block", "refused", "2 s"],
        [
            *("cards", "off", "personal data: card", "messages, answers"),
            *("sanitise; answers masked", "passes", "0.5 s"),
        ],
    ]
    toml = antiphon("filters", "show", "--toml").stdout
    assert 'stages = ["message", "answer"]' in toml
    assert 'on_failure = "open"' in toml
    again = antiphon("filters", "set", "-", stdin=toml)
    assert (again.returncode, again.stdout) == (0, "")
    assert "Nothing changes" in again.stderr
    told = json.loads(antiphon("filters", "show", "--json").stdout)
    assert told["comment"] == "be kind"


def test_one_is_added_switched_and_removed(antiphon: Run) -> None:
    """Each is a change of its own, in its place; what there is not is said."""
    keys = antiphon("filters", "add", "keys", "--kind", "secrets", "--action", "sanitise")
    assert (keys.returncode, keys.stdout) == (0, "+ keys\n"), keys.stderr
    open_one = ("--kind", "payload", "--open", "--timeout", "0.5")
    assert antiphon("filters", "add", "others", *open_one, "--in", "tool-result").returncode == 0
    assert antiphon("filters", "add", "manners", "--term", "fool", "--first").returncode == 0
    shown = json.loads(antiphon("filters", "show", "--json").stdout)["filters"]
    assert [it["name"] for it in shown] == ["manners", "keys", "others"]
    assert shown[2]["stages"] == ["FILTER_STAGE_TOOL_RESULT"]
    assert shown[2]["timeout"] == "0.500s"
    assert antiphon("filters", "disable", "keys").stdout == "~ keys: disabled\n"
    assert antiphon("filters", "disable", "keys").stdout == ""
    assert antiphon("filters", "enable", "keys").stdout == "~ keys: disabled\n"
    again = antiphon("filters", "add", "keys", "--kind", "secrets", "--action", "block")
    assert again.stdout == "~ keys: action\n"
    assert antiphon("filters", "remove", "keys").stdout == "- keys\n"
    gone = antiphon("filters", "remove", "keys")
    assert (gone.returncode, gone.stderr.count("there is no filter keys there")) == (1, 1)
    assert "only manners, others" in gone.stderr


def test_a_tool_that_is_not_there_is_refused(antiphon: Run) -> None:
    """With the filter, and where it would have to be: a typo would keep everybody from speaking."""
    refused = antiphon("filters", "add", "m3", "--tool", "moderation.RemoteFilterService.Scren")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "filter m3: remote.tool is moderation.RemoteFilterService.Scren, " in refused.stderr
    assert "which is no tool for filters that the installation has" in refused.stderr


def test_all_that_a_kind_is_told_can_be_said(antiphon: Run) -> None:
    """Parts of words, and where phones are dialled; the table shows both."""
    parts = ("--term", "fool", "--part", "block", "--part", "head")
    assert antiphon("filters", "add", "manners", *parts).returncode == 0
    assert antiphon("filters", "add", "head", "--part", "head").returncode == 0
    phones = ("--category", "phone", "--region", "DE", "--region", "AT", "--action", "flag")
    added = antiphon("filters", "add", "phones", *phones)
    assert added.returncode == 0, added.stderr
    shown = [re.split(r"  +", it)[2] for it in antiphon("filters", "show").stdout.splitlines()]
    both, one = "1 term, 2 parts of words", "1 part of words"
    assert shown[1:] == [both, one, "personal data: phone (phones of DE, AT)"]
    (tried,) = json.loads(antiphon("filters", "try", "030 12345678", "--json").stdout)["verdicts"]
    assert (tried["filter"], tried["categories"]) == ("phones", ["phone"])


def test_what_is_held_is_said(antiphon: Run) -> None:
    """Where it would wait, and who takes it from there."""
    assert antiphon("filters", "add", "it", "--term", "fool", "--action", "hold").returncode == 0
    tried = antiphon("filters", "try", "you fool")
    assert "It would wait for a person: `antiphon handoffs` lists it." in tried.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--kind", "secret"), "--kind: secret: there are secrets, personal-data, terms, "),
        ((), "--kind: say which: there are secrets"),
        (("--kind", "terms"), "--kind terms needs --term"),
        (("--kind", "secrets", "--term", "x"), "--term belongs to --kind terms, not to secrets"),
        (("--term", "x", "--region", "DE"), "--region belongs to --kind personal-data, not to te"),
        (("--kind", "secrets", "--action", "cut"), "--action cut: write one of flag, sanitise, h"),
        (
            ("--kind", "secrets", "--in", "answer", "--action", "hold"),
            "filter it: stages has answer: what is on its way can't wait for a person",
        ),
        (("--kind", "secrets", "--in", "x"), "--in x: write one of message, tool_result, answer"),
    ],
)
def test_what_does_not_belong_together_is_said(
    antiphon: Run, words: tuple[str, ...], why: str
) -> None:
    """Before anybody is asked, where that can be."""
    refused = antiphon("filters", "add", "it", *words, COLUMNS="300")
    assert (refused.returncode in (1, 2), why in refused.stderr) == (True, True), refused.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('name = "a"\naction = "stop"', "action has to be one of flag, sanitise, hold, block"),
        ('name = "a"\ntimeout = 3', 'timeout has to be a number of seconds: "0.5s"'),
        ('name = "a"\nsecret = {}', "there is no field secret; a filter has name, action, stages"),
        ('name = "a"\ndisabled = "yes"', "disabled has to be true or false"),
        ('name = "a"\nsecrets = { a = 1 }', "there is no field secrets.a; secrets has none"),
        ('name = "A b"\naction = "flag"\nsecrets = {}', "name is no filter's name: write small"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    antiphon: Run, write: Write, text: str, why: str
) -> None:
    """With the file, the filter and the field."""
    refused = antiphon("filters", "set", write(f"[[filters]]\n{text}"))
    assert refused.returncode != 0
    assert "filters.toml: filter 1 (" in refused.stderr
    assert why in refused.stderr


def test_those_of_others_are_not_replaced_unseen(antiphon: Run, write: Write) -> None:
    """Who says which revision they have seen is told of a newer one, and what to do."""
    first = json.loads(antiphon("filters", "set", write(BOTH), "--json").stdout)
    antiphon("filters", "disable", "manners")
    late = antiphon("filters", "set", write("filters = []"), "--if-revision", first["revision"])
    assert late.returncode == 1
    assert "somebody has set other filters meanwhile: look at them" in late.stderr


def test_what_they_were_is_listed_and_set_again(antiphon: Run, write: Write) -> None:
    """By a new revision; the trail knows of each."""
    set_ = ("filters", "set", write(BOTH), "--comment", "be kind", "--json")
    old = json.loads(antiphon(*set_).stdout)["revision"]
    antiphon("filters", "set", write("filters = []"))
    assert "There are no filters of all workspaces since" in antiphon("filters", "show").stderr
    assert "manners" in antiphon("filters", "show", "--revision", old).stdout
    made = antiphon("filters", "restore", old)
    assert (made.returncode, made.stdout) == (0, "+ cards\n+ manners\n")
    rows = [it.split(maxsplit=4) for it in antiphon("filters", "history").stdout.splitlines()[1:]]
    assert [rows[it][3:] for it in (0, 2)] == [
        ["local", f"as revision {old}"],
        ["local", "be kind"],
    ]
    told = antiphon("audit", "tail", "--kind", "filters_set").stdout
    assert "resource=global" in told.splitlines()[-1]


def test_what_would_become_of_something_is_tried(antiphon: Run, write: Write) -> None:
    """Of arguments or the input, by those that stand or those of a file; nothing is kept."""
    nothing = antiphon("filters", "try", "hello")
    assert nothing.stdout == "It would go on as it is: no filter has anything to say.\n"
    antiphon("filters", "add", "manners", "--term", "blockhead", "--action", "sanitise")
    cut = antiphon("filters", "try", stdin="you blockhead").stdout
    assert cut.splitlines()[1].split() == [
        *("manners", "of", "all", "workspaces", "sanitise", "1", "term")
    ]
    assert cut.endswith("\nIt would go on so:\nyou [term]\n")
    blocked = antiphon("filters", "try", "--filters", write(BOTH), "you blockhead").stdout
    assert blocked.endswith("\nIt would be refused, and stored nowhere.\n")
    told = json.loads(antiphon("filters", "try", "you blockhead", "--json").stdout)
    assert told["action"] == "FILTER_ACTION_SANITISE"
    assert antiphon("filters", "screenings").stdout == ""


def test_what_they_had_to_say_is_listed(antiphon: Run) -> None:
    """What became of it, by whom, where; not what it was."""
    antiphon("filters", "add", "manners", "--term", "blockhead")
    blocked = antiphon("chat", "--once", "you blockhead", "--handler", "echo")
    assert blocked.returncode == 1
    assert "manners" in blocked.stderr
    shown = antiphon("filters", "screenings").stdout
    heading, row = shown.splitlines()
    assert heading.split() == ["when", "what", "by", "became", "filters", "conversation"]
    assert row.endswith("  message  local  blocked  manners: term")
    assert "blockhead" not in shown
    assert antiphon("filters", "screenings", "--author", "local").stdout == shown
    told = json.loads(antiphon("filters", "screenings", "--json", "--count", "1").stdout)
    assert told["refused"]
    none = antiphon("filters", "screenings", "--author", "user_0123456789")
    assert "No filter of all workspaces had anything to say" in none.stderr


def test_one_that_is_down_is_taken_and_warned_of(antiphon: Run, tmp_path: Path) -> None:
    """It may be there again in a moment; until then doctor is red."""
    (said,) = objects(antiphon("chat", "--once", "hello", "--json").stdout)
    conversations = objects(antiphon("conversations", "--json").stdout)
    (workspace,) = {str(it["workspace_id"]) for it in conversations}
    where, url = ("--workspace", workspace), "https://moderation.invalid"
    served = ("--grpc", url, "--descriptors", described(tmp_path / "filter.binpb"))
    assert antiphon("connections", "add", "down", *served).returncode == 0
    tool = ("--tool", "down.RemoteFilterService.Screen", "--timeout", "5")
    added = antiphon("filters", "add", "others", *tool, *where)
    assert (added.returncode, added.stdout) == (0, "+ others\n"), added.stderr
    assert f"! others of {workspace} can't look now (" in added.stderr
    assert "nothing is said until it can" in added.stderr
    examined = antiphon("doctor")
    assert f"✗ filter: others of {workspace} can't look now (" in examined.stdout
    assert f"antiphon filters disable others --workspace {workspace}" in examined.stdout
    refused = antiphon("chat", "-c", str(said["conversation_id"]), "--once", "hello")
    assert "An admin sees why by `antiphon filters screenings`" in refused.stderr
    assert antiphon("filters", "set", "-", *where, stdin="filters = []").returncode == 0
