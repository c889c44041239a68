"""``antiphon calls``, and chats that end while a call waits for somebody."""

import json
import re
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from tests.cli.conftest import Home
from tests.cli.terminal import Terminal
from tests.cli.test_tools import ASK, MODEL

TOLD = {"ANTIPHON_MODELS": json.dumps([MODEL])}
ONCE = ("chat", "-m", "test/echo", "--tool", "antiphon.time", "--once", ASK)


@pytest.fixture(scope="module", autouse=True)
def _models() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTIPHON_MODELS", TOLD["ANTIPHON_MODELS"])
        yield


@pytest.fixture(scope="module")
def rule(_models: None, shared_home: Home, address: str) -> Home:
    """A home whose tool asks; with a server that outlives its commands."""
    shared_home.run("chat", "--once", "hello", "--handler", "echo")
    assert shared_home.run("tools", "ask", "antiphon.time").returncode == 0
    return shared_home


def _left(home: Home, *more: str) -> "tuple[CompletedProcess[str], str, str]":
    """A chat that ended while its call waits, where that is, and the call."""
    done = home.run(*ONCE, *more)
    said = re.search(r"antiphon calls approve (conv_\S+) (tool_\S+)", done.stderr)
    assert said is not None, done
    return done, said[1], said[2]


def test_a_chat_without_a_terminal_tells_how_to_decide(rule: Home) -> None:
    """It ends at once, with the arguments and the command; that has the turn go on."""
    done, where, call = _left(rule)
    assert (done.returncode, done.stdout) == (3, "")
    assert '"zone": "Asia/Tokyo"' in done.stderr
    listed = rule.run("calls")
    assert f"{where} {call}" in listed.stdout
    assert '"zone": "Asia/Tokyo"' in listed.stdout
    approved = rule.run("calls", "approve", where, call)
    assert (approved.returncode, "antiphon.time: approved" in approved.stderr) == (0, True)
    late = rule.run("calls", "deny", where, call)
    assert late.returncode == 1
    assert rule.run("calls", "list", "-c", where).stderr.endswith("None waits.\n")
    assert "Tokyo" in rule.run("chat", "-c", where, stdin="").stdout


def test_one_is_denied_and_the_model_is_told_why(rule: Home) -> None:
    """As a program sees it: in JSON."""
    done, where, call = _left(rule, "--json")
    told = json.loads(done.stdout)
    assert (told["conversation_id"], told["undecided_call"]["tool_call_id"]) == (where, call)
    [waiting] = map(json.loads, rule.run("calls", "-c", where, "--json").stdout.splitlines())
    assert (waiting["tool_call_id"], waiting["turn_id"]) == (call, told["turn_id"])
    denied = rule.run("calls", "deny", where, call, "--why", "not today")
    assert "antiphon.time: denied" in denied.stderr
    assert "not today" in rule.run("chat", "-c", where, stdin="").stdout
    nothing = rule.run("calls", "approve", where, "tool_nothing01")
    assert (nothing.returncode, "no such call" in nothing.stderr) == (1, True)


def test_what_is_no_decision_decides_nothing(rule: Home) -> None:
    """A command, a question, and Ctrl-C, which leaves the call to others."""
    with Terminal(list(ONCE), {**rule.environment, **TOLD}) as terminal:
        asked = terminal.wait_for("Allow it")
        for said in ("/help", "what is that?"):
            terminal.wait_for(">$", after=asked.end())
            terminal.line(said)
            asked = terminal.wait_for("That decides nothing", after=asked.end())
        terminal.wait_for(">$", after=asked.end())
        terminal.interrupt()
        left = terminal.wait_for(r"antiphon calls approve (conv_\S+) (tool_\S+)")
        assert "denied" not in terminal.seen
    assert rule.run("calls", "approve", left[1], left[2]).returncode == 0
