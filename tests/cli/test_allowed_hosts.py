"""``antiphon connections allow``."""

import json
import subprocess
from collections.abc import Callable

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ALL = "all hosts that the server's operator allows"


def test_hosts_are_allowed_listed_and_forgotten(antiphon: Run) -> None:
    """One is added to those before; a connection elsewhere is refused, and what is no host."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    assert ALL in antiphon("connections", "allow").stderr
    antiphon("connections", "allow", "*.Tools.example")
    told = antiphon("connections", "allow", "wiki.example").stdout
    assert told.split() == ["*.tools.example", "wiki.example"]
    assert json.loads(antiphon("connections", "allow", "--json").stdout)["hosts"] == told.split()
    refused = antiphon("connections", "add", "x", "--mcp", "https://other.example/mcp")
    assert (refused.returncode, "other.example" in refused.stderr) == (1, True)
    assert antiphon("connections", "allow", "127.1").returncode == 1
    assert ALL in antiphon("connections", "allow", "--clear").stderr


def test_what_is_cut_off_is_named(antiphon: Run) -> None:
    """It is told with what holds now, until its host is allowed, too."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    antiphon("connections", "add", "wiki", "--mcp", "https://wiki.invalid/mcp")
    told = antiphon("connections", "allow", "*.tools.invalid", "invalid")
    assert "may call these alone" in told.stderr
    assert "Cut off by that: wiki (wiki.invalid)." in told.stderr
    assert "Cut off" not in antiphon("connections", "allow", "*.invalid").stderr
    antiphon("connections", "allow", "--clear")


def test_what_is_not_there_is_not_said_to_be_removed(antiphon: Run) -> None:
    """It is no failure: what is wanted holds."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    for of in ("connections", "secrets"):
        done = antiphon(of, "delete", "nothing")
        assert (done.returncode, done.stderr) == (0, "There was none named nothing.\n")


def test_what_can_not_be_added_says_the_rule(antiphon: Run) -> None:
    """A name, and a place that is two."""
    antiphon("chat", "--once", "hello", "--handler", "echo")
    mcp = ("--mcp", "https://wiki.invalid/mcp")
    named = antiphon("connections", "add", "My Wiki", *mcp)
    assert "that is no name of a connection: write small letters" in named.stderr
    assert "(at most 32)" in named.stderr
    two = antiphon("connections", "add", "wiki", *mcp, "--openapi", "https://wiki.invalid/o.json")
    assert (two.returncode, "leads to one place: one of --mcp" in two.stderr) == (2, True)
