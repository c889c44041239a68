"""Whom commands trust, and how they tell what a port speaks."""

import json
import os
from pathlib import Path

import pytest

from antiphon_client import Tls
from antiphon_server.cli.console import CommandError
from antiphon_server.cli.paths import ca_file
from antiphon_server.cli.trust import keep_ca, spoken, tls_for
from tests.certificates import Authority

ADDRESS = "https://127.0.0.1:7450"


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_a_plain_address_is_plain(tmp_path: Path) -> None:
    """Nothing is secured that was not asked to be."""
    assert tls_for("127.0.0.1:7450", tmp_path) is None


def test_variables_name_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The authorities to trust, and this client's certificate with its key (mTLS)."""
    for name in ("CA", "CLIENT_CERT", "CLIENT_KEY"):
        (tmp_path / name).write_text(name)
        monkeypatch.setenv(f"ANTIPHON_{name}", str(tmp_path / name))
    assert tls_for(ADDRESS, tmp_path) == Tls(b"CA", b"CLIENT_CERT", b"CLIENT_KEY")
    monkeypatch.setenv("ANTIPHON_CA", str(tmp_path / "missing"))
    with pytest.raises(CommandError, match=r"ANTIPHON_CA: .*missing: No such file"):
        tls_for(ADDRESS, tmp_path)


def test_a_login_keeps_its_authorities(tmp_path: Path) -> None:
    """For its address only, until the next login there."""
    (tmp_path / "ca.pem").write_text("ours")
    ca_file(ADDRESS).parent.mkdir(parents=True)
    keep_ca(ADDRESS, tmp_path / "ca.pem")
    assert tls_for(ADDRESS, tmp_path) == Tls(b"ours")
    assert tls_for("https://127.0.0.1:7451", tmp_path) == Tls()
    keep_ca(ADDRESS, None)
    assert tls_for(ADDRESS, tmp_path) == Tls()


@pytest.mark.parametrize(
    ("name", "asked"),
    [("chat.example.org", "chat.example.org"), ("*.example.org", "any.example.org")],
)
def test_the_own_server_is_known(tmp_path: Path, name: str, asked: str) -> None:
    """By its certificate, at its own address, and nowhere else."""
    certificate = Authority(tmp_path).files(name).certificate
    told = {"address": ADDRESS, "pid": os.getpid(), "certificate": str(certificate)}
    (tmp_path / "server.json").write_text(json.dumps(told))
    assert tls_for(ADDRESS, tmp_path) == Tls(certificate.read_bytes(), server_name=asked)
    assert tls_for("https://127.0.0.1:7451", tmp_path) == Tls()
    certificate.unlink()
    assert tls_for(ADDRESS, tmp_path) == Tls()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"certificate": 3}'])
def test_what_is_no_note_of_a_server(tmp_path: Path, text: str) -> None:
    """Nobody is trusted by it."""
    (tmp_path / "server.json").write_text(text)
    assert tls_for(ADDRESS, tmp_path) == Tls()


def test_what_a_port_speaks() -> None:
    """A handshake or an alert is TLS (RFC 8446, 5.1); a frame of HTTP/2 is not."""
    assert [spoken(answer) for answer in (b"\x16", b"\x15", b"\x00", b"H", b"")] == [
        "tls",
        "tls",
        "plain",
        "plain",
        "",
    ]
