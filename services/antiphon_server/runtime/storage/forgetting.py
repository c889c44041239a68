"""Rows that are too old are removed a few at a time, so that no write waits long for them."""

from typing import Any

from sqlalchemy import Column, ColumnElement, delete, select

from antiphon_server.runtime.storage.database import Database

BATCH = 500


async def forget_in_batches(
    database: Database, key: Column[Any], old: ColumnElement[bool], batch: int = BATCH
) -> None:
    """Remove the rows for which ``old`` is true, by their primary ``key``, so many in a commit.

    What another server is just removing is left to it.
    """
    few = select(key).where(old).limit(batch).with_for_update(skip_locked=True)
    removal = delete(key.table).where(key.in_(few))
    while await database.write(lambda it: it.execute(removal).rowcount) == batch:
        pass
