"""What `antiphon doctor` says of production is what a start says."""

import json
from typing import Any

import pytest

from antiphon_server.hardening.checks import CHECKS
from tests.cli.conftest import Home

SECRET = "kH0xv1n3lqK7Q2m6w9rJ8s5t4u3vXyZaBcDeFgHiJkM="


def findings(home: Home, variables: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What it says of production, by check."""
    shown = home.run("doctor", "--json", stdin="", timeout=60, **variables)
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    return {line["check"]: line for line in lines if "production" in line["check"]}


@pytest.mark.parametrize("env", ["development", "production"])
def test_it_lists_every_check(home: Home, env: str) -> None:
    """What production refuses is a note in development, and bad in production."""
    found = findings(home, {"ANTIPHON_ENV": env})
    summary = found.pop("would start in production")
    assert list(found) == [f"production: {check.name}" for check in CHECKS]
    assert (summary["verdict"], summary["found"]) == ("note", "no: TLS, secret's place")
    verdicts = {name: line["verdict"] for name, line in found.items()}
    bad = "bad" if env == "production" else "note"
    assert (verdicts["production: TLS"], verdicts["production: secret's place"]) == (bad, bad)
    assert verdicts["production: reflection"] == "ok"
    refused = home.run("up", ANTIPHON_ENV="production").stderr.splitlines()[1:]
    said = [found[f"production: {name}"] for name in ("TLS", "secret's place")]
    assert refused == [f"- {line['found']}. {line['remedy'].removesuffix('.')}" for line in said]


def test_what_matters_stands_first(home: Home) -> None:
    """The long list of production is for who asks for it, but for what is bad."""
    lines = home.run("doctor").stdout.splitlines()
    checks = [line.split(":")[0] for line in lines if line[0] in "✓·✗"]
    assert len(checks) < 12
    assert checks[-1] == "· would start in production"
    assert "more checks found nothing bad; `antiphon doctor --all` prints them" in lines[-1]
    every = home.run("doctor", "--all").stdout
    assert all(f"production: {check.name}:" in every for check in CHECKS)
    assert "✗ production: TLS" in home.run("doctor", ANTIPHON_ENV="production").stdout


def test_it_says_yes(home: Home) -> None:
    """Once all is safe."""
    safe = {"ANTIPHON_BEHIND_PROXY": "1", "ANTIPHON_SECRET_KEY": SECRET}
    found = findings(home, {"ANTIPHON_ENV": "production", **safe})
    assert found["would start in production"]["found"] == "yes"
    assert SECRET not in json.dumps(found)


def test_it_judges_an_edge_as_its_start_does(home: Home) -> None:
    """Where a mesh is set up: its own port, not the server's, is what strangers reach."""
    mesh = {"edge_host": "0.0.0.0", "origins": ["*"], "calls_per_s": 0, "admin_port": 7490}
    variables = {
        "ANTIPHON_ENV": "production",
        "ANTIPHON_MESH": json.dumps(mesh),
        "ANTIPHON_ADMIN_HOST": "0.0.0.0",
    }
    found = findings(home, variables)
    edge = "production, edge"
    noted = [name for name, line in found.items() if edge in name and line["verdict"] != "ok"]
    assert noted[:2] == [f"{edge}: TLS", f"{edge}: secret's place"]
    assert {f"{edge}: {name}" for name in ("metrics", "edge's origins", "edge's limits")} <= {
        *noted
    }
    refused = home.run("mesh", stdin="", timeout=60, **variables).stderr.splitlines()[1:]
    said = [found[f"{edge}: {name}"] for name in ("TLS", "secret's place")]
    assert refused == [f"- {line['found']}. {line['remedy'].removesuffix('.')}" for line in said]
    assert found[f"would start in {edge}"]["found"] == "no: TLS, secret's place"


def test_settings_that_can_not_be(home: Home) -> None:
    """They are said in a sentence, and the other checks go on."""
    shown = home.run("doctor", ANTIPHON_TLS_CERT="only.pem")
    assert "settings: give both ANTIPHON_TLS_CERT and ANTIPHON_TLS_KEY, or none" in shown.stdout
    assert "disk" in shown.stdout
    assert not shown.stderr
    wrong = home.run("up", ANTIPHON_ENV="prod")
    assert wrong.returncode == 2
    assert "ANTIPHON_ENV: there is no 'prod'; it may be development, production" in wrong.stderr
