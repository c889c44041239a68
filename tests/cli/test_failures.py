import asyncio
import contextlib
import inspect
import os
import socket
import subprocess
import sys
import time

import pytest
import typer

from antiphon_client import DEFAULT_ADDRESS
from antiphon_server.cli.console import run
from antiphon_server.cli.where import host_and_port, listens
from tests.cli.conftest import Home, Run
from tests.cli.terminal import Terminal

NOWHERE = "127.0.0.1:9"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["models", "-a", NOWHERE], 1, "no server listens on 127.0.0.1:9"),
        (["models", "-a", "nonsense"], 1, "'nonsense' is no address"),
        (["tail", "conv_00000001", "-a", NOWHERE], 1, "no server listens"),
        (["chat", "--once", "hi", "-a", NOWHERE], 1, "no server listens"),
        (["chat", "--once", " "], 2, "nothing to ask"),
        (["chat", "--json"], 2, "--json needs --once"),
        (["logout"], 1, "you are not signed in"),
        (["up", "--port", "99999"], 2, "port: "),
        (["up", "--model", "nonsense"], 2, "model"),
        (["up", "--replicas", "2"], 2, "--replicas goes with --mesh"),
        (["up", "--mesh", "--admin-port", "5"], 2, "--admin-port goes without --mesh"),
        (
            ["serve", "auth", "--data-dir", "/dev/null/x"],
            2,
            "/dev/null: this is a file, no folder; choose",
        ),
        (
            ["serve", "auth", "--host", "300.1.1.1", "--port", "0"],
            1,
            "choose another --port, 0",
        ),
        (["certs", __file__], 1, "this is a file, no folder"),
        (["certs", "certs", "--host", "no host!"], 2, "--host: 'no host!' is no name or address"),
        (["up", "--data-dir", "/dev/null/x"], 2, "choose another"),
        (["up", "--data-dir", __file__], 2, "this is a file, no folder; choose another"),
        (["sessions", "revoke"], 1, "say which session"),
        (["sessions", "revoke", "sess_x", "--keys"], 1, "--keys goes with --all"),
        (["login", "-a", NOWHERE], 1, "no server listens"),
        (["login", "anna", "-a", NOWHERE], 1, "no server listens"),
        (["login", "anna", "--name", "bert"], 2, "anna or bert? Give one name"),
        (["login", "--browser", "-a", NOWHERE], 1, "no server listens"),
    ],
)
def test_expected_failures_are_sentences(
    home: Home, arguments: list[str], code: int, says: str
) -> None:
    """What can go wrong is said on stderr in a sentence, without a traceback."""
    shown = home.run(*arguments)
    assert shown.returncode == code, shown.stderr
    assert says in shown.stderr
    assert "Traceback" not in shown.stderr
    assert shown.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "start"),
    [(["models"], "antiphon up"), (["mesh", "status"], "antiphon up --mesh")],
    ids=str,
)
def test_without_a_server_it_is_said_how_to_start_one(
    home: Home, arguments: list[str], start: str
) -> None:
    """Where somebody else's server is on the default port it is named, and not asked."""
    shown = home.run(*arguments)
    there = listens(DEFAULT_ADDRESS)
    says = f"/data/antiphon. Start one with `{start}`" if not there else "you are not signed in"
    assert (shown.returncode, shown.stdout) == (1, "")
    assert says in shown.stderr


def test_a_strangers_server_on_the_default_port_is_named(home: Home) -> None:
    """It is no server of this home."""
    with socket.socket() as stranger:
        with contextlib.suppress(OSError):  # somebody has it
            stranger.bind(host_and_port(DEFAULT_ADDRESS))
            stranger.listen()
        shown = home.run("models")
        elsewhere = home.run("models", "--data-dir", str(home.path / "other"))
    assert f"For the server on {DEFAULT_ADDRESS} run `antiphon login`" in shown.stderr
    assert "other; the one on" in elsewhere.stderr
    assert "Start one with `antiphon up --port 0`" in elsewhere.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tail", "nonsense"], "'nonsense' is no scope"),
        (["models", "-a", "https://{address}"], "does not speak TLS; write {address}."),
        (["tail", "conv_00000001", "--kinds", "x"], "there is no kind 'x'; the kinds are"),
        (["tail", "conv_00000001"], "there is no conversations/conv_00000001"),
        (["tail", "conv_nope"], "that is no scope: write conv_…"),
        (["approve", "hello"], "that is no code"),
        (["approve", "BBBB-BBBB"], "begin again, with `antiphon login --device`"),
        (["tail", "conv_00000001", "--from", "x"], "conv_00000001"),
        (["chat", "--once", "hi", "-c", "conv_00000001"], "there is no conv_00000001"),
        (["chat", "--once", "hi", "-c", "conv_nope"], "that is no conversation's ID (conv_…)"),
        (["chat", "--once", "hi", "--model", "no/model"], "there is no model no/model"),
        (["chat", "--once", "hi", "--handler", "nobody"], "there is no handler nobody"),
    ],
)
def test_refusals_of_the_server_are_sentences(
    antiphon: Run, address: str, arguments: list[str], says: str
) -> None:
    """What the server refuses is said with what to do."""
    says = says.format(address=address)
    shown = antiphon(*(word.format(address=address) for word in arguments))
    assert shown.returncode == 1
    assert says in shown.stderr
    assert "Traceback" not in shown.stderr
    assert "following" not in shown.stderr


def test_an_interrupt_before_the_work_begins_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as a later one does, and Python has nothing to say of work that never began."""

    async def work() -> None: ...

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupted)
    begun = work()
    with pytest.raises(typer.Exit) as left:
        run(begun)
    assert left.value.exit_code == 130
    assert inspect.getcoroutinestate(begun) == inspect.CORO_CLOSED


def test_the_doctor_looks_at_no_server_of_others_as_at_its_own(address: str, home: Home) -> None:
    """Who has none here is told nothing of what production would refuse."""
    shown = home.run("doctor", "-a", address)
    assert "listens on" in shown.stdout
    assert "production" not in shown.stdout


def test_without_the_key_one_is_sent_to_login(address: str, home: Home) -> None:
    """Another user of the machine is told to sign in."""
    shown = home.run("models", "-a", address)
    assert shown.returncode == 1
    assert f"antiphon login -a {address}" in shown.stderr


def test_authorities_that_are_not_there_are_told_before_a_password(home: Home) -> None:
    """A login looks at all that it was given first."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"https://127.0.0.1:{silent.getsockname()[1]}"
        shown = home.run("login", "-a", address, "--ca", "/nope.pem")
    assert (shown.returncode, "--ca: /nope.pem: No such file" in shown.stderr) == (1, True)


def test_a_port_in_use_is_a_sentence(home: Home) -> None:
    """Two servers on one port: the second one says so, behind the word that it starts."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with Terminal(["up", "--port", port], home.environment) as terminal:
            terminal.wait_for(r"^· starting\n(?s:.*)--port")
            assert terminal.wait(60) == 1
            assert "Traceback" not in terminal.seen


def test_a_data_folder_in_use_is_a_sentence(antiphon: Run, address: str) -> None:
    """Two servers on one data folder: the second one says so."""
    shown = antiphon("up", "--port", "0", "--admin-port", "0")
    assert shown.returncode == 1
    assert "another server uses it" in shown.stderr


def test_a_default_model_that_cannot_be_asked_is_no_secret(home: Home) -> None:
    """The start warns of the missing key; models and doctor say the same, doctor as a defect."""
    log = home.path / "up.log"
    command = [sys.executable, "-m", "antiphon_server", "up", "--port", "0", "--admin-port", "0"]
    variables = {**os.environ, **home.environment, "OPENAI_API_KEY": ""}
    with log.open("w") as stderr:
        server = subprocess.Popen(
            [*command, "--model", "openai/gpt-4.1-mini"], env=variables, stderr=stderr
        )
    try:
        deadline = time.monotonic() + 30
        while "serves on" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        listed, checked = home.run("models"), home.run("doctor")
    finally:
        server.terminate()
        server.wait(20)
    assert "OPENAI_API_KEY" in log.read_text()
    assert "stopping; answers under way have up to 5 s" in log.read_text()
    assert "can't be asked: the variable OPENAI_API_KEY holds no key" in listed.stdout
    assert "(default) can't be asked: the variable OPENAI_API_KEY" in checked.stdout
    assert checked.returncode == 1
