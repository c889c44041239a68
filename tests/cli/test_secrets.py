"""``antiphon secrets``."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Home
from tests.cli.terminal import Terminal

Run = Callable[..., "subprocess.CompletedProcess[str]"]
CANARY = "c4nary-of-the-command-line"


def test_one_is_stored_listed_and_removed(antiphon: Run, tmp_path: Path) -> None:
    """From a file; what is listed has no value, and who uses it."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    assert "There are none" in antiphon("secrets").stderr
    file = tmp_path / "token.txt"
    file.write_text(f"{CANARY}\n")
    put = antiphon("secrets", "put", "wiki-token", "--from-file", str(file))
    assert (put.returncode, "wiki-token is stored." in put.stderr) == (0, True)
    added = antiphon(
        "connections", "add", "wiki", "--mcp", "https://wiki.invalid/mcp", "--bearer", "wiki-token"
    )
    assert added.returncode == 0, added
    listed = json.loads(antiphon("secrets", "list", "--json").stdout)
    assert (listed["name"], listed["connections"]) == ("wiki-token", ["wiki"])
    assert (
        "used by wiki" in antiphon("secrets", "put", "wiki-token", "--from-file", str(file)).stderr
    )
    told = antiphon("secrets").stdout
    assert "wiki-token" in told
    assert CANARY not in told + json.dumps(listed)
    assert "1 secrets" in antiphon("secrets", "rotate").stdout
    assert antiphon("secrets", "delete", "wiki-token").returncode == 0
    tested = antiphon("connections", "test", "wiki")
    assert "`antiphon secrets put wiki-token`" in tested.stderr
    assert "There are none" in antiphon("secrets").stderr


def test_bad_values_are_refused_and_not_repeated(antiphon: Run, tmp_path: Path) -> None:
    """Of several lines, no text, too long, or no file at all."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    file = tmp_path / "value"
    for bad in (f"{CANARY}\n{CANARY}".encode(), b"\xff\xfe" + CANARY.encode(), b"x" * 9000, b""):
        file.write_bytes(bad)
        refused = antiphon("secrets", "put", "bad", "--from-file", str(file))
        assert refused.returncode != 0
        assert CANARY not in refused.stderr + refused.stdout
    assert antiphon("secrets", "put", "bad", "--from-file", f"{file}.none").returncode == 2
    assert "There are none" in antiphon("secrets").stderr


def test_it_is_typed_unseen(home: Home) -> None:
    """On a terminal it is asked for, and does not appear."""
    with Terminal(["secrets", "put", "typed"], home.environment) as terminal:
        terminal.reply("Value: ", CANARY)
        terminal.wait_for("stored|no workspace")
        assert CANARY not in terminal.seen


def test_what_was_down_for_its_lack_is_called_next(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a test in between, and without waiting for the next probe."""
    monkeypatch.setenv("ANTIPHON_EGRESS_ALLOW_NETWORKS", '["127.0.0.0/8"]')
    command = [sys.executable, "-m", "tests.fakes.rest_service"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service, home.server():
        try:
            assert service.stdout is not None
            url = service.stdout.readline().strip()
            home.run("chat", "--once", "hello", "--handler", "echo")
            target = ("--openapi", f"{url}/openapi.json", "--base-url", url)
            added = home.run("connections", "add", "till", *target, "--bearer", "till-key")
            assert "till is down" in added.stdout
            for _ in range(4):  # its probes are 8 s apart from then on
                home.run("connections", "test", "till")
            home.run("secrets", "put", "till-key", stdin=CANARY)
            called = home.run("tools", "call", "till.echo", "--arguments", '{"key": "a"}')
        finally:
            service.kill()
    assert json.loads(called.stdout) == {"key": "a"}, called
