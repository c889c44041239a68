"""``antiphon connections`` of what can't be reached: why, and what to do."""

import json
import socket
from collections.abc import Iterator
from functools import partial

import pytest

from tests.cli.conftest import Home


@pytest.fixture
def closed() -> Iterator[int]:
    """A port at which nothing listens, and nothing will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_where_nothing_listens(home: Home, closed: int) -> None:
    """The list and a test say so."""
    gone = {"name": "gone", "mcp": f"http://localhost:{closed}/mcp"}
    run = partial(home.run, ANTIPHON_CONNECTIONS=json.dumps([gone]))
    listed = run("connections")
    assert "down (REFUSED)" in listed.stdout
    assert "gone: Nothing listens at its port" in listed.stderr
    tested = run("connections", "test", "gone")
    assert (tested.returncode, tested.stdout) == (1, "gone is down (REFUSED), 0 tools\n")
    assert "Nothing listens at its port" in tested.stderr


def test_one_on_this_machine_is_kept_and_says_who_allows_it(home: Home, closed: int) -> None:
    """It is there afterwards, and the operator's setting is named."""
    home.run("chat", "--once", "hello", "--handler", "echo")
    url = f"http://localhost:{closed}/mcp"
    added = home.run("connections", "add", "mine", "--mcp", url)
    assert (added.returncode, added.stdout) == (0, "mine is down (EGRESS_DENIED), 0 tools\n")
    assert "Calls to localhost are not allowed" in added.stderr
    assert "ANTIPHON_EGRESS_ALLOW_HOSTS" in added.stderr
    allowed = home.run("connections", "test", "mine", ANTIPHON_EGRESS_ALLOW_HOSTS='["localhost"]')
    assert (allowed.returncode, allowed.stdout) == (1, "mine is down (REFUSED), 0 tools\n")


@pytest.mark.parametrize(
    ("option", "given", "written"),
    [
        ("--mcp", "localhost:9999", "http://localhost:9999"),
        ("--grpc", "[::1]:7443", "http://[::1]:7443"),
        ("--websocket", "prices.example/ws", "wss://prices.example/ws"),
    ],
)
def test_a_place_without_a_scheme_is_told_how_it_is_written(
    home: Home, option: str, given: str, written: str
) -> None:
    """Encrypted, unless it is this machine; before any server is asked."""
    refused = home.run("connections", "add", "wiki", option, given)
    assert (refused.returncode, f"is no URL; write {written}" in refused.stderr) == (2, True)
