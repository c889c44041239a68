"""Commands that are named in hints can be typed as they stand."""

import os

import pytest

from antiphon_server.cli.console import as_typed
from tests.cli.conftest import Home

HINT = "start one with `antiphon up`"


def test_a_checkout_runs_them_by_uv(home: Home) -> None:
    """Nothing else is on the PATH there. uv says in a variable that it is there."""
    refused = home.run("web", UV="/usr/bin/uv")
    assert "`uv run antiphon " in refused.stderr
    installed = home.run("web")
    assert "`antiphon " in installed.stderr


def test_other_words_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what stands in backticks is a command."""
    assert "UV" not in os.environ
    assert as_typed(HINT) == HINT
    monkeypatch.setenv("UV", "/usr/bin/uv")
    assert as_typed(f"antiphon: {HINT}") == "antiphon: start one with `uv run antiphon up`"
