"""Connections to an SQLite file, set up for a single writer beside its readers."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

READERS = 2


def sqlite_engine(path: Path, *, read_only: bool) -> Engine:
    """The one connection that writes, or those that read."""
    if read_only:
        uri = URL.create("sqlite", database=f"file:{quote(str(path))}").update_query_dict(
            {"mode": "ro", "uri": "true"}
        )
        engine = create_engine(
            uri,
            poolclass=QueuePool,
            pool_size=READERS + 1,  # the event loop looks up small things itself
            connect_args={"check_same_thread": False},
        )
    else:
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
        )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, below
        connection.execute("PRAGMA busy_timeout=5000")
        connection.execute("PRAGMA foreign_keys=ON")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA wal_autocheckpoint=0")
        else:
            _open_wal(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        driver.execute("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _open_wal(connection: Any) -> None:
    """Set up the writer's connection, and move what is in the WAL into the database.

    An earlier process may have left there what a sync failed on: it can be read, and
    perhaps is not on disk. What is committed from now on must not build on it.
    """
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":  # SQLite does not raise where that failed
        raise sqlite3.OperationalError("the disk refused the write-ahead log")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")  # what is removed is overwritten
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
