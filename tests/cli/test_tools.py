"""``antiphon tools``, and a chat in which a model calls them."""

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.cli.conftest import Home
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
    assert "antiphon.time    always  available  Says what time" in listed
    assert "antiphon.search" not in antiphon("tools", "list", "--query", "zone").stdout
    called = antiphon("tools", "call", "antiphon.time", "--arguments", '{"zone": "Asia/Tokyo"}')
    assert json.loads(called.stdout)["zone"] == "Asia/Tokyo"
    assert "antiphon.time: never" in antiphon("tools", "never", "antiphon.time").stderr
    refused = antiphon("tools", "call", "antiphon.time")
    assert refused.returncode == 1
    assert "was denied" in refused.stderr
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
    asked = antiphon("tools", "approve", "antiphon.time")
    assert asked.returncode == 1
    assert "approved" not in asked.stderr
    done = antiphon("tools", "approve", "antiphon.time", "--yes")
    assert (done.returncode, "antiphon.time: approved" in done.stderr) == (0, True)
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
