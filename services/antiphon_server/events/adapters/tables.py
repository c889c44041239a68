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
    text,
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
    # Up to where what the log tells of conversations is in the table below. Servers of the version
    # before leave it behind the end, and what it was before it was counted is 0.
    Column("noted_offset", BigInteger, nullable=False, server_default=text("0")),
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

# Which events, in whose log ever, tell of a conversation as a whole. Those that are in the log no
# more may still be here.
told = Table(
    "events_told",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("scope_id", Integer, ForeignKey("events_scopes.id"), primary_key=True),
    Column("last_offset", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

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
