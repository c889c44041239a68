"""The name of this server among those that share a store."""

import os
import secrets
from pathlib import Path

from antiphon_server.runtime.storage.data_dir_lock import DataDirUnusable

NODE_FILE = "node"
LONGEST = 64
LEASE_S = 15.0  # how long a server that has gone silent keeps what it has


def node_name(data_dir: Path) -> str:
    """The name in the data directory, which is made at the first start and stays.

    Whoever has the directory has the name: see :func:`exclusive`. Raises DataDirUnusable.
    """
    path = data_dir / NODE_FILE
    try:
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.write_text(f"node_{secrets.token_hex(8)}\n")
            os.replace(fresh, path)
        name = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataDirUnusable(f"{path}: can't be read or made ({error})") from error
    if not name.isprintable() or not 0 < len(name) <= LONGEST:
        raise DataDirUnusable(f"{path} holds no name; remove it: a new one is made")
    return name
