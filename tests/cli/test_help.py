from typing import Any

import pytest
import typer

from antiphon_server.cli.main import app
from tests.cli.conftest import Home
from tests.repository.test_imports import printed

OVERVIEW: Any = typer.main.get_command(app)
COMMANDS = sorted(OVERVIEW.commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_teaches(home: Home, command: str) -> None:
    """Every command's help says what it does and shows examples."""
    shown = home.run(command, "--help")
    assert shown.returncode == 0
    assert "For example:" in shown.stdout
    assert f"antiphon {command}" in shown.stdout


def test_what_a_mesh_does_without_a_command_is_said(home: Home) -> None:
    """It runs the edge."""
    assert "Without a command it runs the registry" in home.run("mesh", "--help").stdout


def test_the_overview_names_every_command(home: Home) -> None:
    """The commands stand in the overview, and where to begin."""
    shown = home.run("--help").stdout
    assert all(command in shown for command in COMMANDS)
    assert "Begin with antiphon chat" in shown


def test_the_version_is_said(home: Home) -> None:
    """--version prints it."""
    assert home.run("--version").stdout.startswith("antiphon ")


def test_the_overview_loads_nothing_heavy() -> None:
    """Commands load what they need when they run."""
    heavy = {"grpc", "pydantic", "sqlalchemy", "antiphon_client"}
    program = f"import sys, antiphon_server.cli.main; print(*{heavy!r} & set(sys.modules))"
    assert printed(program) == []
