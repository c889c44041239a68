"""Opening a Postgres database at start: what may be wrong, and what to do."""

from urllib.parse import urlsplit

from sqlalchemy import Connection

from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import STARTING
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.storage.database import DatabaseUnusable
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from antiphon_server.runtime.storage.postgres_engine import sqlstate_of, words_of

MIGRATION_S = 3600.0

_RECOVERS = "57P03"
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
    try:
        return await retrying(lambda: _opened(url, pool), STARTING, DomainError, _recovers)
    except DomainError as error:
        raise DatabaseUnusable(_sentence(url, error.__cause__)) from error


async def _opened(url: str, pool: int) -> PostgresDatabase:
    database = PostgresDatabase(url, pool)
    try:
        if wrong := await database.read(_wrong):
            raise DatabaseUnusable(f"ANTIPHON_DATABASE_URL: {wrong}")
    except BaseException:
        await database.close()
        raise
    return database


def open_for_migrations(url: str) -> PostgresDatabase:
    """The same with patience: changing a large table, or waiting for who does, takes long."""
    return PostgresDatabase(url, 1, MIGRATION_S, MIGRATION_S)


def _recovers(error: DomainError) -> bool:
    return sqlstate_of(error.__cause__) == _RECOVERS


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
