"""Opening a Postgres database at start: what may be wrong, and what to do."""

import asyncio
import time
from urllib.parse import urlsplit

from sqlalchemy import Connection

from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.storage.database import DatabaseUnusable
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from antiphon_server.runtime.storage.postgres_engine import sqlstate_of, words_of

STARTING = "57P03"
PATIENCE_S = 30.0
MIGRATION_S = 3600.0

_MAY_MAKE = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
_WHAT_TO_DO = {
    "28P01": "the password is wrong",
    "28000": "the server does not let this user in from here",
    "3D000": "there is no such database: make it with `createdb`",
    "53300": "the server has no place for more connections",
}


async def open_postgres(url: str, pool: int) -> PostgresDatabase:
    """A database that answers. One that is just starting is waited for.

    Raises DatabaseUnusable, WrongSetting.
    """
    end = time.monotonic() + PATIENCE_S
    while True:
        database = PostgresDatabase(url, pool)
        try:
            wrong = await database.read(_wrong)
        except DomainError as error:
            await database.close()
            if sqlstate_of(error.__cause__) != STARTING or time.monotonic() > end:
                raise DatabaseUnusable(_sentence(url, error.__cause__)) from error
            await asyncio.sleep(0.5)
            continue
        except BaseException:
            await database.close()
            raise
        if not wrong:
            return database
        await database.close()
        raise DatabaseUnusable(f"ANTIPHON_DATABASE_URL: {wrong}")


def open_for_migrations(url: str) -> PostgresDatabase:
    """The same with patience: changing a large table, or waiting for who does, takes long."""
    return PostgresDatabase(url, 1, MIGRATION_S, MIGRATION_S)


def _wrong(connection: Connection) -> str:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        return f"the database is encoded in {encoding}: make one with `createdb -E UTF8`"
    if not connection.exec_driver_sql(_MAY_MAKE).scalar_one():
        return (
            "this user may make no tables there: "
            "`GRANT CREATE ON SCHEMA public TO user`, or make the user the database's owner"
        )
    return ""


def _sentence(url: str, cause: BaseException | None) -> str:
    parts = urlsplit(url)
    found = words_of(cause) if cause else "unknown"
    what = _WHAT_TO_DO.get(
        sqlstate_of(cause), f"no Postgres answers at {parts.netloc.rpartition('@')[2]}"
    )
    return f"{what} ({found}); start it, or correct ANTIPHON_DATABASE_URL"
