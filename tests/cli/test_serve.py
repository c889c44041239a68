"""What `antiphon serve` tells a process that runs some of the services."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from antiphon_server.cli.main import app
from antiphon_server.cli.serve import _defaults


def test_each_service_is_where_its_peers_look(tmp_path: Path) -> None:
    """Of two in one process each has its port, and all processes have one secret."""
    found = _defaults(["auth", "context"], {}, tmp_path)
    assert (found["port"], found["more_ports"]) == (7461, [7462])
    secret = found["secret_key_file"].read_text()
    again = _defaults(["events"], {}, tmp_path)
    assert (again["port"], again["more_ports"]) == (7464, [])
    assert again["secret_key_file"].read_text() == secret


def test_what_is_told_goes_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is given is the only one, and a secret that is given is not made."""
    monkeypatch.setenv("ANTIPHON_SECRET_KEY", "given")
    assert _defaults(["auth", "context"], {"port": 1, "admin_port": 2}, tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_service_is_named() -> None:
    """Whoever mistypes one is told which there are."""
    done = CliRunner().invoke(app, ["serve", "auth", "contxt"])
    assert done.exit_code == 2
    assert "there is no service contxt; there are auth, context" in done.output
