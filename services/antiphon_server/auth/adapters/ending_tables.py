"""The tables that say which sessions ended, in which order."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from antiphon_server.auth.adapters.metadata import metadata

# Sequences of databases leave gaps that are filled later: a row that one transaction at a time
# counts on makes whoever reads position N sure to have seen all before it.
counters = Table(
    "auth_counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

endings = Table(
    "auth_endings",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("session_id", String(80), nullable=False),
    Column("end_time", BigInteger, nullable=False),
    Index("auth_endings_by_time", "end_time"),
)
