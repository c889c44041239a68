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
