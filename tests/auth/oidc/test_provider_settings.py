"""Identity providers in the settings: what is wrong is told at the start."""

import socket

import pytest

from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.settings import read_settings

GOOD: dict[str, object] = {
    "name": "google",
    "issuer": "https://accounts.example.org",
    "client_id": "antiphon",
}
TENANT = "11111111-1111-4111-8111-111111111111"
ENTRA = GOOD | {"kind": "entra", "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0"}
MANY = ENTRA | {"issuer": "https://login.microsoftonline.com/organizations/v2.0"}

WRONG: dict[str, tuple[dict[str, object], str]] = {
    "an issuer without https": (GOOD | {"issuer": "http://idp.example.org"}, "https"),
    "an issuer with a query": (GOOD | {"issuer": "https://idp.example.org/?x=1"}, "query"),
    "an issuer with a user": (GOOD | {"issuer": "https://a@idp.example.org"}, "issuer"),
    "a name with blanks": (GOOD | {"name": "my provider"}, "name"),
    "no openid": (GOOD | {"scopes": ["profile"]}, "openid"),
    "a redirect without https": (GOOD | {"redirect_uris": ["http://app.example.org/"]}, "https"),
    "a redirect with a fragment": (GOOD | {"redirect_uris": ["https://app.example.org/#x"]}, "#"),
    "a secret that is not there": (GOOD | {"client_secret_env": "NO_SUCH_VARIABLE"}, "NO_SUCH"),
    "a secret in the settings": (GOOD | {"client_secret": "hunter2"}, "client_secret"),
    "tenants of another kind": (GOOD | {"tenants": [TENANT]}, "entra"),
    "Entra version 1": (ENTRA | {"issuer": f"https://sts.windows.net/{TENANT}/"}, "v2.0"),
    "Entra without a tenant": (ENTRA | {"issuer": "https://login.example.com/v2.0"}, "v2.0"),
    "all tenants of the world": (MANY, "name the tenants"),
    "a tenant by its domain": (MANY | {"tenants": ["contoso.example"]}, "ids"),
    "another tenant than the issuer's": (
        ENTRA | {"tenants": [TENANT.replace("1", "2")]},
        "no other tenant",
    ),
}


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_what_can_not_be_is_refused_at_the_start(row: tuple[dict[str, object], str]) -> None:
    """With a sentence that says what is wrong, and no secret in it."""
    with pytest.raises(WrongSetting, match=row[1]) as caught:
        read_settings(identity_providers=[row[0]])
    assert "identity_providers" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_two_of_one_name_are_refused() -> None:
    """Whom would a caller mean?"""
    with pytest.raises(WrongSetting, match="'google'"):
        read_settings(identity_providers=[GOOD, GOOD])


@pytest.mark.parametrize("good", [GOOD, ENTRA, MANY | {"tenants": [TENANT]}])
def test_what_can_be_is_read(good: dict[str, object]) -> None:
    """As JSON in the environment, too."""
    [provider] = read_settings(identity_providers=[good]).identity_providers
    assert provider.client_secret == ""
    assert not provider.sign_up


def test_the_secret_is_read_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in an environment variable, and in no representation of the settings."""
    monkeypatch.setenv("GOOGLE_SECRET", "hunter2")
    settings = read_settings(identity_providers=[GOOD | {"client_secret_env": "GOOGLE_SECRET"}])
    assert settings.identity_providers[0].client_secret == "hunter2"
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("address", ["192.0.2.2", "127.0.0.1"])
def test_localhost_is_believed_where_it_is_this_machine(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes and secrets go in the clear to no other, whatever an odd hosts file calls it."""
    found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [found])
    local = GOOD | {"issuer": "http://localhost:8080"}
    if address == "127.0.0.1":
        [provider] = read_settings(identity_providers=[local]).identity_providers
        assert provider.is_private
        return
    with pytest.raises(WrongSetting, match="https"):
        read_settings(identity_providers=[local])
