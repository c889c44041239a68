"""``antiphon chat --tool``: what is told of the names, and what a conversation has then."""

import json
from subprocess import CompletedProcess

import pytest

from tests.cli.conftest import Home, Run
from tests.cli.test_tools import ASK, MODEL


@pytest.fixture
def chats(home: Home) -> Run:
    def run(*arguments: str, connections: str = "[]") -> "CompletedProcess[str]":
        models = json.dumps([MODEL])
        told = {"ANTIPHON_MODELS": models, "ANTIPHON_CONNECTIONS": connections}
        return home.run("chat", "-m", "test/echo", *arguments, timeout=60, **told)

    return run


def test_one_that_there_is_has_them_from_then_on(home: Home, chats: Run) -> None:
    """Those that are named go in place of those before, and the model calls them."""
    made = json.loads(chats("--once", "hello", "--json").stdout)["conversation_id"]
    done = chats("-c", made, "--tool", "antiphon.time", "--once", ASK)
    assert "⚙ antiphon.time" in done.stderr, done
    assert "1 tool" not in done.stderr
    assert "⚙ antiphon.time" in chats("-c", made, "--once", ASK).stderr


def test_what_is_wrong_with_them_is_told_first(home: Home, chats: Run) -> None:
    """Unknown, of a source that is away, never; and how one is written."""
    unwritten = chats("--tool", "antiphon", "--once", "hello")
    assert unwritten.returncode == 1
    assert "antiphon.* for all of a source" in unwritten.stderr
    chats("--once", "hello")
    home.run("tools", "never", "antiphon.search")
    names = ("antiphon.time", "antiphon.nothing", "antiphon.search", "till.*")
    wished = [word for name in names for word in ("--tool", name)]
    till = json.dumps([{"name": "till", "mcp": "http://127.0.0.1:1/mcp"}])
    said = chats(*wished, "--once", "hello", connections=till).stderr
    assert (
        "1 tool; antiphon.nothing is no tool that there is; antiphon.search is never called, by "
        "the rule of the workspace; till.* has no tools now: till is down"
    ) in said
