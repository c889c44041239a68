"""What whoever is at a terminal is told of a connection by which no calls are made."""

import asyncio
import json
import re
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import Home
from tests.integration.connections.outside import Outside


async def test_one_that_fails_too_often_and_one_that_is_paused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the list, the doctor, and whoever calls; programs in JSON."""
    outside = Outside("rest")
    async with outside.over_http(tmp_path):
        till = {"name": "till", "openapi": f"http://localhost:{outside.port}/openapi.json"}
        monkeypatch.setenv("ANTIPHON_CONNECTIONS", json.dumps([till]))
        await asyncio.to_thread(_worked_through, home, outside)


def _worked_through(home: Home, outside: Outside) -> None:
    with home.server():
        home.run("chat", "--once", "hello", "--handler", "echo")
        call = partial(home.run, "tools", "call", "till.do", "--arguments", '{"what": "it"}')
        outside.does = "503"
        for _ in range(5):
            assert "HTTP 503" in call().stdout
        assert re.search(r"calls of till failed too often, .* for \d+ s", call().stderr)
        listed = home.run("connections")
        assert re.search(r"degraded \(TOOL_FAILED\), left alone for \d+ s", listed.stdout)
        assert "till: Its calls failed too often" in listed.stderr
        doctor = home.run("doctor").stdout
        assert re.search(r"till: degraded \(TOOL_FAILED\), left alone for \d+ s", doctor)
        assert "Its tools are away." in doctor
        outside.does = "well"
        assert home.run("connections", "resume", "till").stdout.startswith("till is ")
        assert call().returncode == 0
        paused = home.run("connections", "pause", "till", "--json")
        assert json.loads(paused.stdout)["breaker_by_hand"]
        assert "paused by an operator (up) since 2" in home.run("connections").stdout
        assert "`antiphon connections resume till`" in home.run("doctor").stdout
        assert "till is not called, since an operator said so" in call().stderr
        assert home.run("connections", "pause", "none").returncode == 1
