"""The tables of the memory service. Times are microseconds since 1970."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

# Each change within a scope has the next revision, so whoever knows the scope up to one finds what
# has changed since. Whoever changes something there holds this row until the commit.
scopes = Table(
    "memory_scopes",
    metadata,
    Column("scope", String(96), primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

memories = Table(
    "memory_memories",
    metadata,
    Column("memory_id", String(80), primary_key=True),
    Column("scope", String(96), nullable=False),
    Column("revision", BigInteger, nullable=False),  # of the scope, at its newest change
    Column("kind", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("subject", String(160), nullable=False),  # whom it is about; empty: nobody
    Column("version", Integer, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("expire_us", BigInteger, nullable=True),
    Column("body", LargeBinary, nullable=False),  # the newest version; empty once forgotten
    Index("memory_memories_by_scope", "scope", "revision"),
    Index("memory_memories_by_subject", "subject", "scope", "memory_id"),
)

versions = Table(
    "memory_versions",
    metadata,
    Column("memory_id", String(80), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("create_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # what it was
)

requests = Table(
    "memory_requests",
    metadata,
    Column("actor", String(160), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("memory_id", String(80), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Index("memory_requests_by_time", "create_us"),
)

assemblies = Table(
    "memory_assemblies",
    metadata,
    Column("turn_id", String(80), primary_key=True),
    Column("conversation_id", String(80), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # what was shown, without texts
    Index("memory_assemblies_by_time", "create_us"),
)
