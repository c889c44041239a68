"""What others wrote is shown, and commands nobody's terminal."""

import json
import sqlite3
from contextlib import closing

import pytest

from antiphon.events.v1.event_pb2 import TURN_STATE_FAILED, Event
from antiphon_server.cli.chat.tool_calls import indented
from antiphon_server.cli.events import event_line
from tests.cli.conftest import Home, Run
from tests.cli.terminal import Terminal

EVIL = "\x1b]0;pwned\x07\x1b[2J\x9b31mHi\r\nconv_faked"
COMMANDS = (b"\x1b]0", b"\x1b[2J", "\x9b".encode(), b"\x07", b"pwned\r")


@pytest.fixture(scope="module")
def conversation(shared_home: Home, address: str) -> str:
    """A conversation with a title that an older server let in."""
    shown = shared_home.run("chat", "--once", "hello", "--handler", "echo", "--json")
    found = str(json.loads(shown.stdout)["conversation_id"])
    with closing(sqlite3.connect(shared_home.data_dir / "antiphon.db", timeout=10)) as database:
        database.execute(
            "UPDATE context_conversations SET title = ? WHERE conversation_id = ?", (EVIL, found)
        )
        database.commit()
    return found


def test_arguments_that_are_approved_are_shown_in_their_own_lines() -> None:
    """No letter of a value begins a line that looks like another argument."""
    text = json.dumps({"to": "mallory", "note": "hello\u2028  to: alice\u0085  amount: 1"})
    assert len(indented(text)) == 4


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_titles_do_not_command_the_terminal(
    shared_home: Home, conversation: str, option: list[str]
) -> None:
    """A title stays within its line, and no control character of it comes through."""
    with Terminal(["conversations", *option], shared_home.environment) as terminal:
        assert terminal.wait() == 0
        terminal.wait_for(conversation)
        assert not [command for command in COMMANDS if command in terminal.output]
        assert "\nconv_faked" not in terminal.seen


def test_json_is_the_same_however_it_is_written(antiphon: Run, conversation: str) -> None:
    """What is escaped for the terminal's sake is read back as it was."""
    lines = antiphon("conversations", "--json").stdout.splitlines()
    titles = {found["conversation_id"]: found["title"] for found in map(json.loads, lines)}
    assert titles[conversation] == EVIL


def test_errors_do_not_command_the_terminal(home: Home) -> None:
    """A sentence about what went wrong repeats no control character of what it is about."""
    with Terminal(["models", "-a", f"{EVIL}.invalid:9"], home.environment) as terminal:
        assert terminal.wait() == 1
        terminal.wait_for("antiphon: ")
        assert not [command for command in COMMANDS if command in terminal.output]


def test_an_event_is_one_line() -> None:
    """Whatever a worker or a model says of itself."""
    failed = Event(actor="user_1")
    failed.turn_finished.state = TURN_STATE_FAILED
    failed.turn_finished.error.message = EVIL
    progressed = Event(actor="user_1")
    progressed.turn_progressed.status = EVIL
    for event in (failed, progressed):
        assert event_line(event).isprintable()
