"""The Postgres that several servers on one machine have in their data folder."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.stores.local_postgres import running_postgres, start_postgres
from antiphon_server.stores.local_store import StoreDidNotStart
from antiphon_server.stores.programs import StoresMissing

T = TypeVar("T")


def with_postgres(folder: Path, work: Callable[[str], T]) -> T:
    """Do what needs its URL; it is started for as long as that takes if it does not run.

    Raises BackupFailed.
    """
    try:
        return asyncio.run(_with(folder, work))
    except (StoresMissing, StoreDidNotStart) as error:
        raise BackupFailed(str(error)) from error


async def _with(folder: Path, work: Callable[[str], T]) -> T:
    url = await asyncio.to_thread(running_postgres, folder)
    if url is not None:
        return await asyncio.to_thread(work, url)
    store = await start_postgres(folder)
    try:
        return await asyncio.to_thread(work, store.url)
    finally:
        await store.child.stop()
