"""A misspelt variable is not missed in silence."""

import logging
from pathlib import Path

import pytest

from antiphon_server.app import running
from antiphon_server.hardening import Insecure, insist
from antiphon_server.hardening.variables import unknown_variables
from antiphon_server.settings import read_settings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ANTIPHON_ENVIRONMENT", "ANTIPHON_ENV"),
        ("ANTIPHON_TLS_CA", "ANTIPHON_TLS_CLIENT_CA"),
        ("ANTIPHON_RATELIMITS", "ANTIPHON_RATE_LIMITS"),
        ("ANTIPHON_TEST_USER", "ANTIPHON_TEST_USERS"),
        ("ANTIPHON_SECRET", "ANTIPHON_SECRET_KEY"),
        ("ANTIPHON_PROXY", "ANTIPHON_BEHIND_PROXY"),
    ],
)
def test_what_was_meant_is_among_the_nearest(name: str, meant: str) -> None:
    """The name is told with what it may stand for, never its value."""
    [told] = unknown_variables(read_settings(), {name: "some-value", "PATH": "/"})
    assert told.startswith(f"{name} (nearest: ")
    assert meant in told
    assert "some-value" not in told


def test_what_something_reads_is_known() -> None:
    """Settings, variables of commands, and those that records of settings name."""
    models = [
        {
            "name": "mine/x",
            "kind": "openai",
            "base_url": "https://far.example/v1",
            "api_key_env": "ANTIPHON_MY_KEY",
        }
    ]
    known = ("ENV", "PORT", "PASSWORD", "CA", "API_KEY", "MY_KEY")
    settings = read_settings(models=models)
    assert unknown_variables(settings, {f"ANTIPHON_{name}": "" for name in known}) == []


def test_what_kubernetes_tells_of_services_is_none_of_ours() -> None:
    """A service `antiphon-db` beside the server keeps it from nothing."""
    links = (
        "ANTIPHON_DB_SERVICE_HOST",
        "ANTIPHON_DB_SERVICE_PORT",
        "ANTIPHON_DB_SERVICE_PORT_SQL",
        "ANTIPHON_DB_PORT",
        "ANTIPHON_DB_PORT_5432_TCP_ADDR",
    )
    assert unknown_variables(read_settings(), dict.fromkeys(links, "")) == []


def test_production_refuses_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says the name and the nearest."""
    monkeypatch.setenv("ANTIPHON_TLS_CA", "ca.pem")
    with pytest.raises(Insecure, match=r"nothing reads ANTIPHON_TLS_CA \(nearest: "):
        insist(read_settings(env="production", data_dir=tmp_path, model="scripted/test"))


async def test_development_warns_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And starts."""
    monkeypatch.setenv("ANTIPHON_ENVIRONMENT", "production")
    settings = read_settings(data_dir=tmp_path, model="scripted/test", port=0, admin_port=None)
    with caplog.at_level(logging.WARNING):
        async with running(settings) as app:
            assert app.port
    [warning] = [text for text in caplog.messages if "ANTIPHON_ENVIRONMENT" in text]
    assert "ANTIPHON_ENV" in warning.partition("nearest")[2]
