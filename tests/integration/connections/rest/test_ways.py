"""Paths that people and models write stay below a connection's address."""

import pytest

from antiphon_server.integration.connections.model import HttpRequest
from antiphon_server.integration.connections.rest.forwarding import place
from antiphon_server.runtime.errors import DomainError

BASE = "https://shop.example/base"


@pytest.mark.parametrize(
    "path", ["/..", "/a/../../b", "/..;/x", "/%2e%2e%3b/x", "/%252e%252e/x", "/..%20/x", "/..%5cx"]
)
def test_what_is_forwarded_leads_nowhere_else(path: str) -> None:
    """Services and proxies decode paths, and some take `..;` for the way up."""
    with pytest.raises(DomainError):
        place(BASE, HttpRequest("GET", path))


@pytest.mark.parametrize("path", ["/a..b/...", "/x?up=../.."])
def test_dots_that_lead_nowhere_are_sent(path: str) -> None:
    """In names, and behind the question mark."""
    assert place(BASE, HttpRequest("GET", path))[0] == BASE + path
