"""The store in a SQL database; SQL that SQLite and Postgres both speak."""

from antiphon_server.context.adapters.sql.store import SqlStore

__all__ = ["SqlStore"]
