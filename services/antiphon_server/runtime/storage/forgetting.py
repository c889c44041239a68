"""Rows that are too old are removed a few at a time, so that no write waits long for them."""

from sqlalchemy import ColumnElement, Table, delete, select

from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.unheld import unheld

BATCH = 500


async def forget_in_batches(
    database: Database, table: Table, old: ColumnElement[bool], batch: int = BATCH
) -> None:
    """Remove a table's rows for which ``old`` is true, so many in a commit.

    They are named by the whole primary key: a part of it may be other rows', too. What another
    server is just removing is left to it.
    """
    some = select(*table.primary_key).where(old).limit(batch)
    removal = delete(table).where(unheld(some))
    while await database.write(lambda it: it.execute(removal).rowcount) >= batch:
        pass
