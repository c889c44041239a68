"""``antiphon tools``, and a chat in which a model calls them."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Home
from tests.cli.large_results import LINES, PNG
from tests.cli.terminal import Terminal

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ASK = "What time is it?"
CALLS = {ASK: [{"tool": "antiphon.time", "arguments": '{"zone": "Asia/Tokyo"}'}]}
MODEL = {"name": "test/echo", "kind": "scripted", "model": "echo", "script": {"calls": CALLS}}


@pytest.fixture
def chat(home: Home) -> Iterator[Terminal]:
    told = {**home.environment, "ANTIPHON_MODELS": json.dumps([MODEL])}
    command = ["chat", "--model", "test/echo", "--tool", "antiphon.*"]
    with Terminal(command, told) as terminal:
        terminal.wait_for(">$")
        yield terminal


def test_they_are_listed_ruled_and_called(antiphon: Run) -> None:
    """What a rule says is shown, and obeyed."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    listed = antiphon("tools").stdout
    assert re.search("antiphon.time +always  available  Says what time", listed)
    assert "antiphon.search" not in antiphon("tools", "list", "--query", "zone").stdout
    called = antiphon("tools", "call", "antiphon.time", "--arguments", '{"zone": "Asia/Tokyo"}')
    assert json.loads(called.stdout)["zone"] == "Asia/Tokyo"
    assert "antiphon.time: never" in antiphon("tools", "never", "antiphon.time").stderr
    refused = antiphon("tools", "call", "antiphon.time")
    assert refused.returncode == 1
    assert "antiphon.time is never called, by the rule of this workspace" in refused.stderr
    several = antiphon("tools", "never", "antiphon.*")
    assert (several.returncode, "a rule is of one tool" in several.stderr) == (2, True)
    antiphon("tools", "ask", "antiphon.time")
    assert json.loads(antiphon("tools", "-q", "zone", "--json").stdout)["rule"] == "TOOL_RULE_ASK"
    antiphon("tools", "always", "antiphon.time")


def test_one_is_shown_and_approved(antiphon: Run) -> None:
    """Whole; who does not say yes has approved nothing, and one that is not there is said."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    told = antiphon("tools", "show", "antiphon.time").stdout
    assert "Says what time and which weekday it is in a time zone." in told
    assert "sha256: " in told
    seen = json.loads(antiphon("tools", "show", "antiphon.time", "--json").stdout)
    assert seen["tool"]["state"] == "TOOL_STATE_AVAILABLE"
    done = antiphon("tools", "approve", "antiphon.time")
    assert (done.returncode, "antiphon.time is not held" in done.stderr) == (0, True)
    missing = antiphon("tools", "approve", "antiphon.none", "--yes")
    assert (missing.returncode, "There is no tool" in missing.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{", "--arguments is no JSON"),
        ("[]", "--arguments is a JSON object"),
        ('{"zone": 5}', "wrong at $.zone: 5 is not of type 'string'"),
        ('{"zone": "Mars/Base"}', "the tool says that it could not do it"),
    ],
)
def test_wrong_arguments_are_explained(antiphon: Run, arguments: str, said: str) -> None:
    """Before the call, by the schema, or by the tool."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    done = antiphon("tools", "call", "antiphon.time", "--arguments", arguments)
    assert done.returncode != 0
    assert said in done.stderr


def test_a_chat_shows_calls_and_asks_about_those_that_wait(chat: Terminal, home: Home) -> None:
    """Yes, no, and what the model is told instead."""
    chat.line(ASK)
    shown = chat.wait_for(r'⚙ antiphon.time {"zone": "Asia/Tokyo"}\n  → {"zone": "Asia/Tokyo"')
    chat.wait_for(">$", after=shown.end())
    assert home.run("tools", "ask", "antiphon.time").returncode == 0
    chat.line(ASK)
    asked = chat.wait_for('is to be called with\n +{\n +"zone": "Asia/Tokyo"\n(.|\n)*Allow it')
    chat.line("y")
    made = chat.wait_for("→ {", after=asked.end())
    chat.wait_for(">$", after=made.end())
    chat.line(ASK)
    asked = chat.wait_for("Allow it", after=made.end())
    chat.line("ask me tomorrow")
    chat.wait_for("denied\n(.|\n)*The reason given: ask me tomorrow", after=asked.end())


def test_a_program_that_chats_is_not_asked(home: Home) -> None:
    """The call is shown on its stderr, the answer on its stdout."""
    told = {"ANTIPHON_MODELS": json.dumps([MODEL])}
    command = ("chat", "--once", ASK, "-m", "test/echo", "--tool", "antiphon.time")
    done = home.run(*command, timeout=120, **told)
    assert json.loads(done.stdout)["zone"] == "Asia/Tokyo"
    assert "⚙ antiphon.time" in done.stderr


def test_a_large_result_is_read_to_its_end(home: Home) -> None:
    """A chat says where it is; a text is printed, a picture written into a new file."""
    root = str(Path(__file__).parents[2])
    program = {
        "command": sys.executable,
        "arguments": ["-m", "tests.cli.large_results"],
        "folder": root,
    }
    script = {"calls": {"dump": [{"tool": "big.dump", "arguments": "{}"}]}}
    told = {
        "ANTIPHON_PROGRAMS": json.dumps({"big": program}),
        "ANTIPHON_CONNECTIONS": json.dumps([{"name": "big", "program": "big"}]),
        "ANTIPHON_MODELS": json.dumps([{**MODEL, "script": script}]),
    }

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return home.run(*arguments, timeout=60, **told)

    run("chat", "--once", "hello", "--handler", "echo")
    run("tools", "always", "big.dump")
    command = ["chat", "--model", "test/echo", "--tool", "big.*", "--once", "dump"]
    said = run(*command).stderr
    where = re.search(r"tools result (conv_\S+) (tool_\S+)", said)
    assert where is not None, said
    text = run("tools", "result", *where.groups())
    assert text.stdout.splitlines()[-1] == f"line {LINES - 1}"
    refused = run("tools", "result", *where.groups(), "--part", "1")
    assert (refused.returncode, "image/png" in refused.stderr) == (2, True)
    file = home.path / "picture.png"
    into = ["--part", "1", "--output", str(file)]
    run("tools", "result", *where.groups(), *into)
    assert file.read_bytes() == base64.b64decode(PNG)
    again = run("tools", "result", *where.groups(), *into)
    assert (again.returncode, "File exists" in again.stderr) == (1, True)
    gone = run("tools", "result", where[1], "tool_nothing01")
    assert gone.returncode == 1
    assert "there is no part 0" in gone.stderr
