"""Where a server may have a browser opened."""

import pytest

from antiphon_client import AntiphonError
from antiphon_client.browser_url import check_browser_url
from antiphon_client.provider_login import ProviderLogin
from tests.client.hostile import hostile

WRONG = [
    "",
    "-",
    "--renderer-cmd-prefix=/tmp/evil",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "smb://evil.example/share",
    "data:text/html,x",
    "http://idp.example/",
    "http://127.0.0.1.evil.example/",
    "http://localhost@evil.example/",
    "https:///path",
    "https://",
    "https://user:password@idp.example/",
    "https://idp.example\\@evil.example/",
    "https://[",
    "https://idp.example:x/",
    "https://idp.example/ --option",
    "https://idp.example/\x1b]0;owned\x07",
    "https://idp.example/\n",
    "https://idp.example/\u202e",
    " https://idp.example/",
    "https://idp.example/" + "a" * 8192,
]
RIGHT = [
    "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=x&state=y",
    "https://idp.example:8443/",
    "http://127.0.0.1:4711/authorize?x=y",
    "http://[::1]:4711/authorize",
    "http://localhost:4711/authorize",
]


@pytest.mark.parametrize("url", WRONG)
def test_what_is_no_page_is_refused(url: str) -> None:
    """Files, other schemes, options, and what commands a terminal."""
    with pytest.raises(AntiphonError):
        check_browser_url(url)


@pytest.mark.parametrize("url", RIGHT)
def test_pages_are_opened(url: str) -> None:
    """On the web by https alone, on this machine by http too."""
    assert check_browser_url(url) == url


async def test_the_library_hands_on_no_other() -> None:
    """Whoever uses it to sign people in need not look."""
    async with hostile("file:///etc/passwd") as address, ProviderLogin(address) as login:
        with pytest.raises(AntiphonError, match="no page"):
            await login.start("evil", "http://127.0.0.1:1/callback")
