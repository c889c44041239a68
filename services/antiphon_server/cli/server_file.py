"""What a running server writes down of itself, so that other commands on this machine find it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from antiphon_server.cli.paths import SERVER_FILE


def told_in(data_dir: Path) -> dict[str, Any]:
    """What the running server has written down about itself; nothing if it is not readable."""
    try:
        told = json.loads((data_dir / SERVER_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


class ServerFile:
    """Where this process says where it is, until it withdraws that."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._has_told = False

    def write(self, told: Mapping[str, str | int]) -> None:
        """Write down ``address``, ``web``, ``links``, ``certificate`` and ``session``."""
        self._has_told = True
        (self._data_dir / SERVER_FILE).write_text(json.dumps({**told, "pid": os.getpid()}))

    def withdraw(self) -> None:
        """This process is gone. What another one wrote stays: it may be there still.

        In containers all have one pid, so who never told anything takes nothing away.
        """
        if self._has_told and told_in(self._data_dir).get("pid") == os.getpid():
            (self._data_dir / SERVER_FILE).unlink(missing_ok=True)
