"""The tables of accounts, of what signs people in, and of what keeps requests single."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    false,
)

from antiphon_server.auth.adapters.column_types import EnumNumber, ScopeNames
from antiphon_server.auth.adapters.metadata import metadata
from antiphon_server.auth.model import LoginMethod
from antiphon_server.runtime.storage.partial_index import partial_index

users = Table(
    "auth_users",
    metadata,
    Column("user_id", String(80), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("display_name", String(128), nullable=False),
    Column("operator", Boolean, nullable=False),
    Column("password_hash", Text, nullable=True),
    Column("create_time", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False, server_default="1"),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("password_version", Integer, nullable=False, server_default="0"),
)
partial_index("auth_users_by_operator", users.c.user_id, where="operator")

sessions = Table(
    "auth_sessions",
    metadata,
    Column("session_id", String(80), primary_key=True),
    Column("user_id", String(80), nullable=False),
    Column("device", String(128), nullable=False),
    Column("api_key_id", String(80), nullable=True),
    Column("create_time", BigInteger, nullable=False),
    Column("last_use_time", BigInteger, nullable=False),
    Column("expire_time", BigInteger, nullable=False),
    Column("final_expire_time", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("refresh_hash", LargeBinary(32), nullable=False),
    Column("previous_hash", LargeBinary(32), nullable=True),
    Column("rotate_time", BigInteger, nullable=False),
    Column("end_time", BigInteger, nullable=True),
    Column("announced", Boolean, nullable=False),
    Column("method", EnumNumber(LoginMethod), nullable=False, server_default="0"),
    Column("provider", String(64), nullable=False, server_default=""),
    Column("first_address", String(64), nullable=False, server_default=""),
    Column("last_address", String(64), nullable=False, server_default=""),
    Column("scopes", ScopeNames, nullable=True),
    Index("auth_sessions_by_user", "user_id", "create_time", "session_id"),
    Index("auth_sessions_by_key", "api_key_id"),
    Index("auth_sessions_by_announced", "announced"),
    Index("auth_sessions_by_expiry", "expire_time"),
    Index("auth_sessions_by_end", "end_time"),
)

partial_index("auth_sessions_unended", sessions.c.expire_time, where="end_time IS NULL")

api_keys = Table(
    "auth_api_keys",
    metadata,
    Column("key_id", String(80), primary_key=True),
    Column("user_id", String(80), nullable=False),
    Column("label", String(64), nullable=False),
    Column("secret_hash", LargeBinary(32), nullable=False, unique=True),
    Column("create_time", BigInteger, nullable=False),
    Column("expire_time", BigInteger, nullable=True),
    Column("last_use_time", BigInteger, nullable=True),
    Column("last_address", String(64), nullable=False, server_default=""),
    Column("scopes", ScopeNames, nullable=True),
    Column("parent_key_id", String(80), nullable=True),
    Index("auth_api_keys_by_user", "user_id", "create_time", "key_id"),
)

signing_keys = Table(
    "auth_signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("sealed_private_key", LargeBinary, nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Column("retire_time", BigInteger, nullable=True),
)

attempts = Table(
    "auth_attempts",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("guesses", Integer, nullable=False),
    Column("window_end", BigInteger, nullable=False),
    Index("auth_attempts_by_end", "window_end"),
)

requests = Table(
    "auth_requests",
    metadata,
    Column("principal", String(128), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Index("auth_requests_by_time", "create_time"),
)
