"""Settings come from options and variables, typed, and say what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest

from antiphon_server.runtime.configuration import WrongSetting, host_and_port
from antiphon_server.settings import DEFAULT_MODEL, DEFAULT_PORT, read_settings


def test_defaults_need_nothing() -> None:
    """A user who sets nothing gets a server on this machine."""
    settings = read_settings()
    assert (settings.host, settings.port, settings.model) == (
        "127.0.0.1",
        DEFAULT_PORT,
        DEFAULT_MODEL,
    )


def test_options_go_before_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """And variables before defaults; texts become what the field is."""
    monkeypatch.setenv("ANTIPHON_PORT", "8001")
    monkeypatch.setenv("ANTIPHON_REFLECTION", "false")
    monkeypatch.setenv("ANTIPHON_DATA_DIR", "~/somewhere")
    assert read_settings().port == 8001
    assert read_settings(port=8002).port == 8002
    assert read_settings().reflection is False
    assert read_settings().data_dir == Path.home() / "somewhere"


def test_models_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default comes first; a key is not shown."""
    monkeypatch.setenv(
        "ANTIPHON_MODELS",
        '[{"name": "mine/llama", "kind": "openai", "base_url": "http://h/v1", "api_key": "k-123"}]',
    )
    settings = read_settings(model="mine/llama")
    assert [model.name for model in settings.all_models()] == ["mine/llama"]
    assert settings.models[0].secret == "k-123"
    assert "k-123" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ANTIPHON_PORT", "70000", "ANTIPHON_PORT: it may be 65535 at most"),
        ("ANTIPHON_PORT", "eighty", "ANTIPHON_PORT: it must be a whole number"),
        ("ANTIPHON_LOG_LEVEL", "loud", "no 'loud'; it may be debug, info, warning, error"),
        ("ANTIPHON_MODELS", "not json", "ANTIPHON_MODELS: not JSON"),
        ("ANTIPHON_MODELS", '{"name": "x/y"}', "ANTIPHON_MODELS: it must be a list"),
        ("ANTIPHON_MODELS", '[{"name": "x/y", "kind": "z"}]', r"kind: .* may be openai, local"),
        (
            "ANTIPHON_MODELS",
            '[{"name": "x/y", "kind": "local", "accepts": ["smell"]}]',
            r"accepts.*: there is no 'smell'; it may be .*image",
        ),
        ("ANTIPHON_MODEL", "gpt", "'gpt'"),
        ("ANTIPHON_MODELS", "[{", "ANTIPHON_MODELS"),
        ("ANTIPHON_MODELS", '[{"name": "x/y"}]', r"ANTIPHON_MODELS\[0\]"),
        ("ANTIPHON_MODELS", '[{"name": "x/y", "kind": "openai"}]', "base_url"),
        ("ANTIPHON_MODELS", '[{"name": "x/y", "kind": "local", "nonsense": 1}]', "nonsense"),
        ("ANTIPHON_PEERS", '{"auth": "nohost"}', "ANTIPHON_PEERS: auth: 'nohost' is no address"),
        ("ANTIPHON_PEERS", '{"auth": "h:99999"}', "ANTIPHON_PEERS: auth: 'h:99999' is no address"),
        ("ANTIPHON_REGISTRY", "mesh", "REGISTRY: 'mesh' is no address: it must be host:port"),
        ("ANTIPHON_REGISTRY", "one:7470, two", "'two' is no address: it must be host:port"),
        ("ANTIPHON_NODE_ADDRESS", "foo", "'foo' is no address: it must be host:port"),
        ("ANTIPHON_MESH", '{"pages": "foo"}', "ANTIPHON_MESH: pages: 'foo' is no address"),
        ("ANTIPHON_MESH", '{"origins": ["chat"]}', "origins: 'chat' is none, such as https://"),
    ],
)
def test_what_can_not_be_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """The message says which setting and which rule."""
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting, match=said):
        read_settings()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tls_cert": "a.pem"}, "both tls_cert and tls_key, or none"),
        ({"tls_client_ca": "ca.pem"}, "tls_client_ca needs tls_cert and tls_key"),
        ({"secret_key": "x", "secret_key_file": "x"}, "secret_key or secret_key_file, not both"),
        ({"test_users": True, "host": "0.0.0.0"}, "a test user is for this machine alone"),
        ({"test_users": True, "behind_proxy": True}, "a test user is for this machine alone"),
    ],
)
def test_what_does_not_go_together(given: dict[str, Any], said: str) -> None:
    """Half a certificate, two secrets, a test user whom strangers reach."""
    with pytest.raises(WrongSetting, match=said):
        read_settings(**given)


@pytest.mark.parametrize(
    "text",
    [
        "host",
        ":1",
        "host:",
        "host:70000",
        "unix:/run/a.sock:1",
        "[::1:1",
        "::1:1",
        "a b:1",
        "[no]:1",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """A name or an IP address, and a port; an IPv6 address in brackets. Nothing of a file."""
    with pytest.raises(WrongSetting, match="it must be host:port"):
        host_and_port("pages", text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("my_host.example:1", ("my_host.example", 1)),
        ("[::1]:2", ("::1", 2)),
        ("10.0.0.1:3", ("10.0.0.1", 3)),
    ],
)
def test_what_is_an_address(text: str, parts: tuple[str, int]) -> None:
    """Brackets are of the text alone."""
    assert host_and_port("pages", text) == parts


def test_the_installation_s_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever prints the settings does not print it."""
    monkeypatch.setenv("ANTIPHON_SECRET_KEY", "kept-to-itself")
    settings = read_settings()
    assert settings.secret_text == "kept-to-itself"
    assert "kept-to-itself" not in f"{settings} {settings!r}"


def test_reflection_follows_the_environment() -> None:
    """On in development, off in production, unless it is said."""
    assert read_settings().reflects
    assert not read_settings(env="production").reflects
    assert read_settings(env="production", reflection=True).reflects
    assert not read_settings(reflection=False).reflects


def test_an_unknown_option_is_refused() -> None:
    """A typo does not pass in silence."""
    with pytest.raises(WrongSetting, match="prot"):
        read_settings(prot=1)
