"""The table of password resets: one row a user."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    false,
)

from antiphon_server.auth.adapters.metadata import metadata

password_resets = Table(
    "auth_password_resets",
    metadata,
    Column("user_id", String(80), primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("password_version", Integer, nullable=False),
    Column("expire_time", BigInteger, nullable=False),
    Column("api_keys", Boolean, nullable=False, server_default=false()),
    Index("auth_password_resets_by_end", "expire_time"),
)
