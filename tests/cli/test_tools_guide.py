"""docs/guides/tools.md, done as it says."""

import json
import re
import shlex
import socket
import subprocess
import sys
import time

import pytest

from antiphon_server.cli.paths import OPERATOR_FILE
from antiphon_server.runtime.errors import Reason
from tests.cli.conftest import Home
from tests.e2e.readme import commands, prints, run, transcript
from tests.e2e.until import PATIENCE_S
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "tools.md"


def test_its_commands_do_what_it_says(home: Home) -> None:
    """The first call, and rules that are listed as they were said."""
    first = run(commands("first", GUIDE), home.environment)
    assert [ran.exit_code for ran in first] == [0, 0, 0], first
    assert "antiphon.search" in first[1].output
    assert '"zone": "Asia/Tokyo"' in first[2].output
    rules = run(commands("rules", GUIDE), home.environment)
    assert [ran.exit_code for ran in rules] == [0] * 4, rules
    listed = {line.split()[0]: line.split()[1] for line in rules[2].output.splitlines() if line}
    assert (listed["antiphon.time"], listed["antiphon.search"]) == ("ask", "never")
    held = run(commands("held", GUIDE), home.environment)
    assert [ran.exit_code for ran in held] == [0, 0], held


def test_a_call_has_a_price(home: Home) -> None:
    """It is shown and charged; in another currency than a budget's it is not known."""
    with home.server():
        run(commands("first", GUIDE)[:1], home.environment)
        told = [it for mark in ("costs", "currency") for it in transcript(mark, GUIDE)]
        ran = run([command for command, _ in told], home.environment)
    assert [it for it, (_, output) in zip(ran, told, strict=True) if not prints(it, output)] == []
    assert [it.exit_code for it in ran] == [0, 0, 0, 0, 1, 0, 1, 0, 0]


def test_a_scripted_model_calls_one(home: Home) -> None:
    """With no key and no network, as the chat shows it."""
    ran = run(commands("scripted", GUIDE), home.environment)
    assert [it.exit_code for it in ran] == [0] * 4, ran
    assert '⚙ antiphon.time {"zone": "Asia/Tokyo"}' in ran[3].output


def test_a_program_calls_one(home: Home) -> None:
    """As it stands, with a server's address and key."""
    [program] = re.findall(r"^```python call\n(.*?)^```", GUIDE.read_text(), re.S | re.M)
    with home.server() as address:
        home.run("chat", "--once", "hello", "--handler", "echo")
        key = (home.data_dir / OPERATOR_FILE).read_text().strip()
        command = [sys.executable, "-c", program, address, key]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(ran.stdout)["zone"] == "Asia/Tokyo"


def test_tools_of_others_are_called_in_five_minutes(home: Home) -> None:
    """A service by its document, and a program that the server's PATH finds."""
    run(commands("first", GUIDE)[:1], home.environment)
    port = str(free_port())
    [service] = commands("service", GUIDE)
    typed = [line.replace("8090", port) for line in commands("five", GUIDE)]
    program, *arguments = shlex.split(service.replace("8090", port))
    assert program == "python"
    with subprocess.Popen([sys.executable, *arguments], stderr=subprocess.DEVNULL) as serving:
        try:
            until_heard(port)
            ran = run(typed, home.environment)
        finally:
            serving.kill()
    assert [it.exit_code for it in ran] == [0] * 8, ran
    connections = {line.split()[0]: line.split() for line in ran[3].output.splitlines() if line}
    assert (connections["clock"][1:4], connections["web"][1:3]) == (
        ["program", "up", "2"],
        ["openapi", "up"],
    )
    assert "web.get_uuid" in ran[4].output
    assert '"uuid": "' in ran[5].output
    assert "22:30:00+09:00" in ran[6].output or "21:30:00+09:00" in ran[6].output


def until_heard(port: str) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("localhost", int(port)), 1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("reason", [it for it in Reason if it.startswith("TOOL_")])
def test_every_reason_is_told(reason: Reason) -> None:
    """Whoever meets one finds what it means."""
    assert f"| `{reason.value}` |" in GUIDE.read_text()
