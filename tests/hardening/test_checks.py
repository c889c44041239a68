"""Each check finds its one thing, and nothing else does."""

import base64
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from antiphon_server.hardening import Insecure, insist, weaknesses
from antiphon_server.hardening.checks import CHECKS
from antiphon_server.hardening.facts import Facts, facts_of, is_open
from antiphon_server.settings import Settings, read_settings

DAY = 86_400.0
SECRET = "kH0xv1n3lqK7Q2m6w9rJ8s5t4u3vXyZaBcDeFgHiJkM="


def settings(**more: Any) -> Settings:
    """Those of a server that may meet strangers, but for what is given."""
    safe = {"env": "production", "behind_proxy": True, "model": "scripted/test"}
    return read_settings(**{**safe, **more})


SAFE = Facts(certificate_ends=100 * DAY, now=0.0)
A_KEY = {"name": "mine/x", "kind": "openai", "base_url": "http://far.example/v1", "api_key": "k"}
TLS = {"tls_cert": "a.pem", "tls_key": "a.key"}
PEERS = {"peer_ca": "ca.pem", "peer_cert": "a.pem", "peer_key": "a.key"}
HEARD = {"trusted_hops": 1}
FAR = {"node_address": "10.0.0.7:7450"}
# Each check -> settings and facts that only it objects to.
CASES: dict[str, tuple[dict[str, Any], Facts]] = {
    "TLS": ({"behind_proxy": False}, SAFE),
    "certificate": ({}, replace(SAFE, certificate_ends=1 * DAY, now=1 * DAY)),
    "reflection": ({"reflection": True}, SAFE),
    "test users": ({"test_users": True}, SAFE),
    "secret's place": ({}, replace(SAFE, secret_inside=True)),
    "secret": ({}, replace(SAFE, secret_wrong="the installation's secret can be guessed")),
    "data folder": ({}, replace(SAFE, open_folders=("/srv/data (mode 0755)",))),
    "key files": ({}, replace(SAFE, open_files=("/srv/tls.key (mode 0644)",))),
    "models' keys": ({"models": [A_KEY]}, SAFE),
    "peers": (
        {
            "services": ["auth"],
            "secret_key": SECRET,
            "peers": {"context": "10.0.0.5:7462", "events": "[::1]:7464"},
        },
        SAFE,
    ),
    "proxy": ({"host": "192.0.2.1"}, SAFE),
    "rate limits": ({"rate_limits": {"enabled": False}}, SAFE),
    "variables": ({}, replace(SAFE, unknown_variables=("ANTIPHON_ENVIRONMENT (…)",))),
    "certificate's end": ({}, replace(SAFE, certificate_ends=14 * DAY)),
    "traces": ({"otlp_endpoint": "http://collector.example:4317"}, SAFE),
    "Postgres": ({"database_url": "postgresql://far.example/antiphon"}, SAFE),
    "Redis": ({"redis_url": "redis://:secret@far.example:6379/0"}, SAFE),
    "metrics": ({"admin_host": "0.0.0.0"}, SAFE),
    "edge's origins": ({"mesh": {**HEARD, "origins": ["https://a.example", "*"]}}, SAFE),
    "edge's limits": ({"mesh": {**HEARD, "calls_per_s_of_one": 0}}, SAFE),
    "edge's tokens": ({"mesh": {**HEARD, "check_tokens": False}}, SAFE),
    "edge's proxies": ({"mesh": {"edge_port": 443}}, SAFE),
    "log level": ({"log_level": "debug"}, SAFE),
    "user": ({}, replace(SAFE, root=True)),
}


def test_safe_settings_pass() -> None:
    """A server behind its proxy, and one with TLS, have nothing that is found."""
    assert list(weaknesses(settings(), SAFE)) == []
    tls = {"tls_cert": "a.pem", "tls_key": "a.key", "behind_proxy": False, "host": "0.0.0.0"}
    assert list(weaknesses(settings(**tls), SAFE)) == []


@pytest.mark.parametrize("name", CASES)
def test_each_check_finds_its_own(name: str) -> None:
    """Exactly the check of that name objects, and says what to do in a sentence."""
    given, facts = CASES[name]
    (found,) = weaknesses(settings(**given), facts)
    assert found.check.name == name
    assert re.fullmatch(r".+: .+\. [A-Z].+[^.]", str(found))


def test_every_check_has_a_case() -> None:
    """A check that is added is tested, too, and names are told apart."""
    assert [check.name for check in CHECKS] == list(CASES)


@pytest.mark.parametrize(
    ("given", "objects"),
    [
        ({"models": [{**A_KEY, "base_url": "https://far.example/v1"}]}, False),
        ({"models": [{**A_KEY, "base_url": "http://127.0.0.1:1/v1"}]}, False),
        ({"models": [{**A_KEY, "api_key": None}]}, False),
        ({"host": "0.0.0.0", "trusted_proxies": ["10.0.0.0/8"]}, False),
        ({"trusted_proxies": ["fd00::/8", "104.16.0.0/13", "2600:9000::/28"]}, False),
        ({"trusted_proxies": ["0.0.0.0/0"]}, True),
        ({"trusted_proxies": ["10.0.0.0/8", "::/0"]}, True),
        ({"trusted_proxies": ["128.0.0.0/1"]}, True),
        ({"trusted_proxies": ["2000::/3"]}, True),
        (
            {"behind_proxy": False, "tls_cert": "a", "tls_key": "b", "trusted_proxies": ["::/0"]},
            False,
        ),
        ({"mesh": {**HEARD, "origins": ["http://127.0.0.1:5173", "https://a.example"]}}, False),
        ({"mesh": {**HEARD, "origins": ["http://a.example"]}}, True),
        ({"mesh": {**HEARD, "traces": "collector.example:4317"}}, True),
        ({"mesh": {**HEARD, "traces": "127.0.0.1:4317"}}, False),
        ({"registry": "10.0.0.5:7470"}, True),
        ({"registry": "127.0.0.1:7470"}, False),
        ({"registry": "127.0.0.1:7470, 10.0.0.5:7470"}, True),
        ({"registry": "10.0.0.5:7470", **PEERS}, False),
        ({"several_nodes": True, **FAR}, True),
        ({"several_nodes": True, **FAR, **PEERS}, False),
        ({"several_nodes": True, **FAR, **TLS}, False),
        ({"several_nodes": True, "node_address": "[::1]:7450"}, False),
        ({"several_nodes": True, "services": ["auth"], "secret_key": SECRET, **FAR}, False),
        ({"rate_limits": {"sign_ins": 0}}, True),
        ({"rate_limits": {"calls": 0}}, True),
        ({"rate_limits": {"sign_ins": 1_000_000_000}}, True),
        ({"rate_limits": {"sign_ins": 12_000, "calls": 1, "reads": 0, "writes": 0}}, False),
        ({"host": "::1"}, False),
        ({"host": "::"}, True),
        ({"host": "localhost.example"}, True),
        ({"otlp_endpoint": "http://[::1]:4317"}, False),
        ({"database_url": "postgresql://127.0.0.1/x"}, False),
        ({"database_url": "postgresql:///x?host=/run/postgresql"}, False),
        ({"database_url": "postgresql://far.example/x?sslmode=prefer"}, True),
        ({"database_url": "postgresql://far.example/x?sslmode=verify-full"}, False),
        ({"redis_url": "redis://127.0.0.1:6379"}, False),
        ({"redis_url": "rediss://far.example:6379"}, False),
        ({"otlp_endpoint": "https://collector.example:4317"}, False),
    ],
)
def test_where_a_check_ends(given: dict[str, Any], objects: bool) -> None:
    """What stays on this machine, or is encrypted, is no weakness."""
    assert bool(list(weaknesses(settings(**given), SAFE))) is objects


def secret_file(path: Path, content: str = SECRET) -> Path:
    path.write_text(content)
    path.chmod(0o600)
    return path


def test_facts_of_a_safe_machine(tmp_path: Path) -> None:
    """Private folders and files, and a random secret elsewhere, are what safe facts are."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    elsewhere = secret_file(tmp_path / "secret")
    for given in ({"secret_key": SECRET}, {"secret_key_file": elsewhere}):
        found = facts_of(settings(data_dir=data, **given))
        assert replace(found, now=0.0, root=False) == Facts()


def test_facts_of_an_open_machine(tmp_path: Path) -> None:
    """Modes that let others in are named with their file, the key of TLS among them."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o750)
    for name in ("operator.key", "auth.key", "tls.key"):
        (folder := data if name != "tls.key" else tmp_path).joinpath(name).write_text("x")
        (folder / name).chmod(0o604)
    found = facts_of(settings(data_dir=data, tls_cert="t.pem", tls_key=tmp_path / "tls.key"))
    assert found.open_folders == (f"{data} (mode 0750)",)
    assert [text.split("/")[-1] for text in found.open_files] == [
        "tls.key (mode 0604)",
        "auth.key (mode 0604)",
        "operator.key (mode 0604)",
    ]
    assert found.secret_inside


@pytest.mark.parametrize(
    ("mode", "owner", "opened"),
    [
        (stat.S_IFREG | 0o600, 10001, False),
        (stat.S_IFREG | 0o640, 10001, True),
        (stat.S_IFREG | 0o440, 0, False),
        (stat.S_IFREG | 0o444, 0, True),
        (stat.S_IFREG | 0o460, 0, True),
        (stat.S_IFDIR | 0o750, 0, True),
    ],
)
def test_a_key_that_root_hands_to_a_group_is_private(mode: int, owner: int, opened: bool) -> None:
    """As orchestrators mount secrets for those who are not root; root itself needs no group."""
    assert is_open(mode, owner, 10001) is opened
    assert is_open(stat.S_IFREG | 0o440, 0, 0)


@pytest.mark.parametrize(
    ("secret", "wrong"),
    [
        ("c2VjcmV0", "ANTIPHON_SECRET_KEY holds no secret; it must be 32 random bytes"),
        ("changeme", "ANTIPHON_SECRET_KEY holds no secret"),
        ("not base64!", "ANTIPHON_SECRET_KEY holds no secret"),
        ("A" * 43 + "=", "can be guessed"),  # zeros
        ("dGhpcyBpcyBteSB2ZXJ5IGxvbmcgcGFzc3BocmFzZSE=", "can be guessed"),  # a passphrase
        (base64.b64encode(bytes(range(32))).decode(), "can be guessed"),
        (base64.b64encode(bytes(n * 37 % 256 for n in range(32))).decode(), "can be guessed"),
        (base64.b64encode(bytes(range(255, 223, -1))).decode(), "can be guessed"),
        (base64.b64encode(bytes(n * n % 251 for n in range(1, 17)) * 2).decode(), "can be guessed"),
        (SECRET, ""),
    ],
)
def test_secrets_that_are_none(secret: str, wrong: str, tmp_path: Path) -> None:
    """Short ones, text and patterns are found; what they are is not said."""
    found = facts_of(settings(data_dir=tmp_path, secret_key=secret)).secret_wrong
    assert wrong in found if wrong else not found
    assert secret not in found


def test_a_secret_file_inside_is_inside(tmp_path: Path) -> None:
    """However the path is written: what is copied with the data protects nothing."""
    inside = secret_file(tmp_path / "auth.key")
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(tmp_path)
    for path in (inside, link / "auth.key"):
        assert facts_of(settings(data_dir=tmp_path, secret_key_file=path)).secret_inside


def test_all_refusals_come_at_once(tmp_path: Path) -> None:
    """A line for each that refuses; what is only advised against refuses nothing."""
    tmp_path.chmod(0o755)
    bad = settings(data_dir=tmp_path, behind_proxy=False, test_users=True, log_level="debug")
    with pytest.raises(Insecure) as refused:
        insist(bad)
    lines = str(refused.value).splitlines()
    assert len(lines) == 1 + 4
    assert all(line.startswith("- ") for line in lines[1:])
    names = [weakness.check.name for weakness in refused.value.weaknesses]
    assert names == ["TLS", "test users", "secret's place", "data folder"]
    tmp_path.chmod(0o700)
    advised = insist(settings(data_dir=tmp_path, log_level="debug", secret_key=SECRET))
    assert "log level" in [weakness.check.name for weakness in advised]


def test_development_looks_at_nothing(tmp_path: Path) -> None:
    """No check runs where nobody asked for it: a start costs what it did."""
    assert insist(settings(env="development", data_dir=tmp_path, behind_proxy=False)) == []
