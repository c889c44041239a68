"""Stores for several servers on one machine, where nobody named any."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path

from antiphon_server.app.own_database import keeps_postgres
from antiphon_server.app.schemas import DATABASE_FILE
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.storage.data_dir_lock import DataDirUnusable
from antiphon_server.settings import PREFIX, Settings, default_data_dir
from antiphon_server.stores.local_postgres import start_postgres
from antiphon_server.stores.local_redis import start_redis
from antiphon_server.stores.local_store import LocalStore

Tell = Callable[[str, str], None]


async def with_stores(settings: Settings, lifecycle: Lifecycle, tell: Tell) -> dict[str, str]:
    """Start those that are not named; returns the variables that lead to them.

    Raises StoresMissing, StoreDidNotStart, DataDirUnusable if one server keeps its data there.
    """
    if settings.database_url is not None:
        return {}  # whoever has a Postgres has a Redis, or wants none
    await asyncio.to_thread(_check, settings.data_dir)
    found = {"DATABASE_URL": await _own(start_postgres, "Postgres", settings, lifecycle, tell)}
    if settings.redis_url is None:
        found["REDIS_URL"] = await _own(start_redis, "Redis", settings, lifecycle, tell)
    return {f"{PREFIX}{name}": url for name, url in found.items()}


def _check(data_dir: Path) -> None:
    """An empty Postgres beside the data of one server would look as if all was lost."""
    if (data_dir / DATABASE_FILE).exists() and not keeps_postgres(data_dir):
        raise DataDirUnusable(
            f"{data_dir} has the data of one server, in {DATABASE_FILE}; several share a Postgres. "
            f"`antiphon migrate{_told(data_dir)}` takes the data there, once; or begin empty with "
            "another --data-dir, or leave --replicas away"
        )


def _told(data_dir: Path) -> str:
    """What names the folder to a command, if it has to be named."""
    return "" if data_dir == default_data_dir() else f" --data-dir {shlex.quote(str(data_dir))}"


async def _own(
    start: Callable[[Path], Awaitable[LocalStore]],
    name: str,
    settings: Settings,
    lifecycle: Lifecycle,
    tell: Tell,
) -> str:
    """Run it in its folder, started again if it dies, until the lifecycle's end."""
    tell(name, "starting")
    store = await start(settings.data_dir / name.lower())
    lifecycle.on_stop(name, store.child.stop)
    lifecycle.spawn(f"{name} is watched", store.child.watch(), vital=False)
    tell(name, "serving")
    return store.url
