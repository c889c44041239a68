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


def tell(data_dir: Path, told: Mapping[str, str | int]) -> None:
    """Write down of this process where it is: ``address``, ``web``, ``links``, ``certificate``."""
    (data_dir / SERVER_FILE).write_text(json.dumps({**told, "pid": os.getpid()}))


def withdraw(data_dir: Path) -> None:
    """This process is gone. What another one wrote stays: it may be there still."""
    if told_in(data_dir).get("pid") == os.getpid():
        (data_dir / SERVER_FILE).unlink(missing_ok=True)
