import json
import os
import signal
import time

import psutil
import pytest

from antiphon_server.cli.paths import SERVER_FILE
from tests.cli.conftest import Home
from tests.cli.terminal import Terminal

LONG = " ".join(f"w{number}" for number in range(200))  # 4 s of echo
SERVER_STOPS_S = 15.0


def server_of(home: Home) -> psutil.Process:
    """The server of a user's data."""
    return psutil.Process(json.loads((home.data_dir / SERVER_FILE).read_text())["pid"])


@pytest.fixture
def chat(home: Home):  # type: ignore[no-untyped-def]
    with Terminal(["chat", "--handler", "echo"], home.environment) as terminal:
        terminal.wait_for(">$")
        yield terminal


def test_ctrl_c_stops_the_answer_and_not_the_program(chat: Terminal, home: Home) -> None:
    """After a stop the next message is answered; Ctrl-D leaves; the server goes with it."""
    server = server_of(home)
    chat.line(LONG)
    chat.wait_for(r"\nw0 w1 w2")
    chat.interrupt()
    stopped = chat.wait_for("stopped · ")
    assert "w199" not in chat.seen[len(LONG) + 100 :]
    chat.line("still here")
    chat.wait_for("\nstill here\n(.|\n)*>$", after=stopped.end())
    chat.type("\x04")
    assert chat.wait() == 0
    assert "antiphon chat --conversation conv_" in chat.seen
    server.wait(SERVER_STOPS_S)


def test_ctrl_c_twice_at_the_prompt_leaves(chat: Terminal) -> None:
    """The first one says what the second one does."""
    chat.interrupt()
    chat.wait_for("Ctrl-C again, or Ctrl-D, leaves")
    chat.wait_for(">$")
    chat.interrupt()
    assert chat.wait() == 0


def test_commands_work(chat: Terminal) -> None:
    """What /help lists does what it says."""
    chat.line("/help")
    chat.wait_for("/list  +your conversations")
    chat.line("first words")
    chat.wait_for("\nfirst words\n")
    chat.line("/conversations")
    chat.wait_for(r"conv_\w+  [\d-]+ [\d:]+  first words")
    chat.line("/new")
    chat.wait_for("A new conversation")
    chat.line("/model some/model")
    chat.wait_for("there is no model some/model; ")
    chat.line("/model local/smollm2-135m")
    chat.wait_for("Asking local/smollm2-135m from now on")
    chat.line("/open")
    chat.wait_for("Which one")
    chat.line("/open conv_zzz")
    chat.wait_for("that is no conversation's ID")
    chat.line("/models")
    chat.wait_for("\nlocal/smollm2-135m")
    chat.line("/nonsense")
    chat.wait_for("There is no command /nonsense")
    chat.line("/quit")
    assert chat.wait() == 0


def test_pasted_lines_are_one_question(chat: Terminal) -> None:
    """The terminal is asked to mark what is pasted, and is no more once the chat is left."""
    chat.type("\x1b[200~first line\nsecond line\x1b[201~")
    chat.wait_for("second line")
    chat.line("")
    chat.wait_for(r"second line\nfirst line\nsecond line\n")
    chat.wait_for("second line\n.*s\n\n>$")
    chat.type("\x04")
    assert chat.wait() == 0
    chat.wait_for("Go on later")
    assert chat.output.rfind(b"\x1b[?2004l") > chat.output.rfind(b"\x1b[?2004h") > 0


def test_what_is_not_shown_again_is_said(chat: Terminal, home: Home) -> None:
    """Who goes on with a conversation is told of earlier messages, and of stopped answers."""
    for number in range(3):
        chat.line(f"word{number}")
        chat.wait_for(rf"\nword{number}\n(.|\n)*>$")
    chat.line(LONG)
    chat.wait_for(r"\nw0 w1 w2")
    chat.interrupt()
    chat.wait_for("stopped · ")
    [line] = home.run("conversations").stdout.splitlines()
    with Terminal(["chat", "-c", line.split()[0]], home.environment) as other:
        other.wait_for("… 2 earlier messages; /more shows them\n(.|\n)*> word1\n")
        other.wait_for(r"\nw0 w1 w2.*\nstopped or broken off here\n")
        assert "word0" not in other.seen


def test_a_killed_server_comes_back_and_the_answer_goes_on(chat: Terminal, home: Home) -> None:
    """Kill -9 in mid-answer: the chat brings its server back, and nothing is missing or twice."""
    chat.line(LONG)
    chat.wait_for(r"\nw0 w1 w2")
    time.sleep(0.5)
    server_of(home).kill()
    chat.wait_for("connection lost, trying again")
    chat.wait_for(r"\d s\n")
    assert f"\n{LONG}\n" in chat.seen


def test_one_ctrl_c_leaves_off_where_there_is_no_connection(home: Home) -> None:
    """The end of an answer is not waited for by who can't be told of it."""
    with home.server(), Terminal(["chat", "--handler", "echo"], home.environment) as chat:
        chat.wait_for(">$")
        chat.line(LONG)
        chat.wait_for(r"\nw0 w1 w2")
        server_of(home).kill()
        chat.wait_for("trying again; Ctrl-C leaves off")
        chat.interrupt()
        chat.wait_for("Not waiting for the end of it.\n\n>$")


def test_the_server_dies_with_its_chat(chat: Terminal, home: Home) -> None:
    """However the chat ends, its server ends too."""
    server = server_of(home)
    os.kill(chat.process.pid, signal.SIGKILL)
    server.wait(SERVER_STOPS_S)


def test_what_is_typed_during_an_answer_is_asked_next(chat: Terminal) -> None:
    """Keys do not show in the text, and are not lost."""
    chat.line(LONG[:300])
    chat.wait_for(r"\nw0 w1 w2")
    chat.line("typed ahead")
    chat.wait_for("> typed ahead\ntyped ahead\n")
    assert chat.seen.count("typed ahead") == 2


def test_what_is_typed_during_an_answer_outlives_its_stop(chat: Terminal) -> None:
    """Ctrl-C stops the answer, and throws away no line that was sent behind it."""
    chat.line(LONG)
    chat.wait_for(r"\nw0 w1 w2")
    chat.line("typed ahead")
    chat.interrupt()
    chat.wait_for("stopped · (.|\n)*> typed ahead\ntyped ahead\n")


def test_a_second_chat_uses_the_first_ones_server(chat: Terminal, home: Home) -> None:
    """Two chats of one user share one server."""
    shown = home.run("chat", "--once", "me too", "--handler", "echo")
    assert shown.stdout == "me too\n"
    assert "starting" not in shown.stderr


def test_a_conversation_in_mid_answer_is_joined(chat: Terminal, home: Home) -> None:
    """Another terminal that opens the conversation shows all of the answer under way."""
    chat.line(LONG)
    chat.wait_for(r"\nw0 w1 w2")
    [line] = home.run("conversations").stdout.splitlines()
    with Terminal(["chat", "-c", line.split()[0]], home.environment) as other:
        other.wait_for(f"\n{LONG}\n")


def test_who_wants_the_folder_is_told_that_a_chat_keeps_it(chat: Terminal, home: Home) -> None:
    """With the process, and what to do."""
    shown = home.run("up", "--port", "0", "--admin-port", "0")
    assert shown.returncode == 1
    assert f"process {server_of(home).pid}" in shown.stderr
    assert "leave the other `antiphon chat`" in shown.stderr


def test_a_chat_at_a_server_of_its_own_keeps_no_other(home: Home) -> None:
    """A server that people have started has gone; one that a command starts then ends with it."""
    words = ["up", "--port", "0", "--admin-port", "0", "--web-port", "0"]
    with Terminal(words, home.environment) as server:
        server.wait_for("Antiphon serves on")
        with Terminal(["chat", "--handler", "echo"], home.environment) as chat:
            chat.wait_for(">$")
            server.type("\x03")
            server.wait()
            assert home.run("tools").stderr.startswith("starting a server\n")
            assert home.run("tools").stderr.startswith("starting a server\n")


def test_a_chat_that_joined_goes_on_when_the_first_one_leaves(chat: Terminal, home: Home) -> None:
    """The server that the first one started stays until the last one has left."""
    server = server_of(home)
    with Terminal(["chat", "--handler", "echo"], home.environment) as second:
        second.wait_for(">$")
        chat.type("\x04")
        assert chat.wait() == 0
        second.line("still here")
        second.wait_for("\nstill here\n(.|\n)*>$")
        assert server.is_running()
        second.type("\x04")
        assert second.wait() == 0
    server.wait(SERVER_STOPS_S)
