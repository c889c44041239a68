"""What is this machine is told by address, never by name alone."""

import pytest

from antiphon_server.runtime.net.loopback import is_loopback


@pytest.mark.parametrize(
    ("host", "found", "own"),
    [
        ("localhost", ["127.0.0.1", "::1"], True),
        ("localhost", ["192.0.2.2"], False),
        ("localhost", ["::1", "192.0.2.2"], False),
        ("here.example", ["127.0.0.1"], False),
        ("127.0.0.2", ["192.0.2.2"], True),
        ("::1", [], True),
        ("192.0.2.2", ["127.0.0.1"], False),
    ],
)
def test_localhost_is_what_it_resolves_to(host: str, found: list[str], own: bool) -> None:
    """Every address of it is this machine's; no other name is believed."""
    assert is_loopback(host, lambda _: found) is own


def test_a_localhost_that_does_not_resolve_is_not_this_machine() -> None:
    """Nobody could say where it leads."""

    def lost(host: str) -> list[str]:
        raise OSError

    assert not is_loopback("localhost", lost)


def test_this_machine_s_own_localhost_is_looked_up() -> None:
    """As it is where nothing is wrong."""
    assert is_loopback("localhost")
