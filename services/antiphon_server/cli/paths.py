"""Where the command line finds and keeps things."""

import os
import re
from pathlib import Path

OPERATOR_FILE = "operator.key"
SERVER_FILE = "server.json"


def data_dir_or_default(data_dir: Path | None) -> Path:
    """The given data directory, or the server's default."""
    if data_dir is not None:
        return data_dir.expanduser()
    from antiphon_server.settings import default_data_dir

    return default_data_dir()


def ca_file(address: str) -> Path:
    """Where the authorities are kept that a login at an address was told to trust."""
    return login_file(address).with_suffix(".ca")


def address_file(address: str) -> Path:
    """Where a login's address stands as it is written."""
    return login_file(address).with_suffix(".address")


def login_file(address: str) -> Path:
    """Where the tokens of a login at an address are kept."""
    return logins_folder() / (re.sub(r"[^\w.-]+", "_", address) + ".json")


def logins_folder() -> Path:
    """Where logins are kept (XDG Base Directory)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "antiphon" / "logins"
