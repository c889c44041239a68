"""The log's tables."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

from antiphon_server.runtime.storage.partial_index import partial_index

metadata = MetaData()

# A scope's number stands in every row of its log instead of its name.
scopes = Table(
    "events_scopes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("scope", String(128), nullable=False, unique=True),
    Column("epoch", String(16), nullable=False),
    Column("last_offset", BigInteger, nullable=False),
    Column("earliest_offset", BigInteger, nullable=False),
)

log = Table(
    "events_log",
    metadata,
    Column("scope_id", Integer, ForeignKey("events_scopes.id"), primary_key=True),
    Column("last_offset", BigInteger, primary_key=True),
    Column("first_offset", BigInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("turn_id", String(80), nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Only the text deltas of unfolded turns are in this index. It does not begin with the scope:
# SQLite would take the primary key instead, and read the whole scope.
partial_index(
    "events_log_deltas",
    log.c.turn_id,
    where="kind = 16",
)

# What tells of conversations in the logs of all who may read them.
OF_CONVERSATIONS = "kind IN (20, 21, 22, 27)"
partial_index("events_log_conversations", log.c.scope_id, where=OF_CONVERSATIONS)

requests = Table(
    "events_requests",
    metadata,
    Column("scope_id", Integer, ForeignKey("events_scopes.id"), primary_key=True),
    Column("request_id", String(128), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("first_offset", BigInteger, nullable=False),
    Column("last_offset", BigInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

fences = Table(
    "events_fences",
    metadata,
    Column("scope_id", Integer, ForeignKey("events_scopes.id"), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)
