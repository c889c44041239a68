"""A server as a process of its own."""

import sys
from collections.abc import Mapping
from pathlib import Path

from antiphon_server.runtime.process import with_parent
from antiphon_server.runtime.process.child import Child


def replica(name: str, folder: Path, output: Path, environment: Mapping[str, str]) -> Child:
    """``antiphon up`` with a folder and an environment of its own."""
    command = with_parent.command(
        *(sys.executable, "-P", "-m", "antiphon_server", "up"),
        *("--host", "127.0.0.1", "--port", "0", "--admin-port", "0"),
        *("--data-dir", str(folder)),
    )
    return Child(name, command, output, environment)
