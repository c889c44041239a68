"""What servers' commands are told, with and without typer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import typer

from antiphon_server.cli.main import app
from antiphon_server.cli.plain import plainly
from antiphon_server.cli.serve import serve
from antiphon_server.cli.up import up
from tests.repository.test_imports import printed

COMMANDS: Mapping[str, Callable[..., None]] = {"up": up, "serve": serve}
OVERVIEW: Any = typer.main.get_command(app)
EVERY_OPTION = (
    "--host ::1 --port 0 --admin-port=1 --web --web-port 2 --mesh --data-dir a --model=x=y"
    " --log-level debug --log-format json --tls-cert c --tls-key=k --behind-proxy --test-user"
    " --session"
)


@pytest.mark.parametrize(
    "line",
    [
        "up",
        f"up {EVERY_OPTION}",
        "up --port 1 --port 2",
        "serve auth",
        "serve --port 7 auth --data-dir=d context --log-level info",
    ],
)
@pytest.mark.parametrize("folder", ["", "elsewhere"])
def test_plain_options_are_read_as_typer_reads_them(
    line: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values, kinds and defaults are the same, also of what the environment says."""
    monkeypatch.setenv("ANTIPHON_DATA_DIR", folder)
    name, *words = line.split()
    found = plainly(COMMANDS[name], words, {"ANTIPHON_DATA_DIR": folder})
    assert found == _of_typer(name, words)


def test_every_option_of_a_server_is_plain() -> None:
    """One that a server's start would be slower for is seen here: all but those with limits."""
    of_typer = {flag for it in OVERVIEW.commands["up"].params for flag in it.opts}
    assert of_typer - set(EVERY_OPTION.replace("=", " ").split()) == {"--replicas"}


@pytest.mark.parametrize(
    "line",
    [
        "up --help",
        "up here",
        "up --prot 1",
        "up --port",
        "up --port one",
        "up --port -1",
        "up --web=yes",
        "up --model=",
        "up --replicas 2",
        "serve",
        "serve auth -h",
    ],
)
def test_all_else_is_left_to_typer(line: str) -> None:
    """It says what is wrong, and helps."""
    name, *words = line.split()
    assert plainly(COMMANDS[name], words, {}) is None


def test_a_server_does_without_pydantic() -> None:
    """It would take a tenth of its start, and memory for as long as it serves."""
    program = """
import sys
from antiphon_server.cli import program
sys.argv = ["antiphon", "up", "--port", "0", "--data-dir", "/dev/null/none"]
try:
    program.main()
except SystemExit as ended:
    print(ended.code)
print(*{"pydantic", "antiphon_server.cli.main"} & set(sys.modules))
"""
    assert printed(program) == ["2"]


def _of_typer(name: str, words: Sequence[str]) -> dict[str, Any]:
    found = OVERVIEW.commands[name].make_context(name, list(words)).params
    return {name: list(it) if isinstance(it, tuple) else it for name, it in found.items()}
