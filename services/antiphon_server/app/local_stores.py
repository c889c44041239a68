"""Stores for several servers on one machine, where nobody named any."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from antiphon_server.runtime.lifecycle import Lifecycle
from antiphon_server.settings import PREFIX, Settings
from antiphon_server.stores.local_postgres import start_postgres
from antiphon_server.stores.local_redis import start_redis
from antiphon_server.stores.local_store import LocalStore

Tell = Callable[[str, str], None]


async def with_stores(settings: Settings, lifecycle: Lifecycle, tell: Tell) -> dict[str, str]:
    """Start those that are not named; returns the variables that lead to them.

    Raises StoresMissing, StoreDidNotStart.
    """
    if settings.database_url is not None:
        return {}  # whoever has a Postgres has a Redis, or wants none
    found = {"DATABASE_URL": await _own(start_postgres, "Postgres", settings, lifecycle, tell)}
    if settings.redis_url is None:
        found["REDIS_URL"] = await _own(start_redis, "Redis", settings, lifecycle, tell)
    return {f"{PREFIX}{name}": url for name, url in found.items()}


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
