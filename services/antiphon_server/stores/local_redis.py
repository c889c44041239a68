"""A Redis (Valkey) of one installation on one machine: it keeps nothing, and needs no care."""

import asyncio
import secrets
from pathlib import Path

from antiphon_server.runtime.net.ports import HOST, kept_port
from antiphon_server.runtime.process import with_parent
from antiphon_server.runtime.process.child import Child
from antiphon_server.stores.local_store import LocalStore, begun
from antiphon_server.stores.programs import valkey_program

START_S = 20.0
MEMORY = "256mb"


async def start_redis(folder: Path) -> LocalStore:
    """Run it. Only who has the password gets in, which is another one at each start.

    Raises StoresMissing, StoreDidNotStart.
    """
    port, password = kept_port(), secrets.token_hex(24)
    child = await asyncio.to_thread(_prepared, folder, port, password)
    await begun(child, lambda: _listens(port), START_S)
    return LocalStore(child, f"redis://:{password}@{HOST}:{port}/0")


def _prepared(folder: Path, port: int, password: str) -> Child:
    """Told by a file of its own: arguments can be seen by others on the machine."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    configuration = folder / "redis.conf"
    configuration.touch(mode=0o600)
    lines = [
        f"port {port}",
        f"bind {HOST}",
        f"requirepass {password}",
        'save ""',
        "appendonly no",
        f"dir {folder}",
        f"maxmemory {MEMORY}",
        "maxmemory-policy allkeys-lru",
    ]
    configuration.write_text("\n".join(lines) + "\n")
    command = with_parent.command(str(valkey_program()), str(configuration))
    return Child("Redis", command, folder / "redis.log")


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True
