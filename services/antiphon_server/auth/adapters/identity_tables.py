"""The tables of identities and begun logins."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from antiphon_server.auth.adapters.tables import metadata

identities = Table(
    "auth_identities",
    metadata,
    Column("provider", String(64), nullable=False),
    Column("issuer", String(1024), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user_id", String(80), nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Column("last_use_time", BigInteger, nullable=True),
    Index("auth_identities_by_user", "user_id", "create_time"),
)

login_flows = Table(
    "auth_login_flows",
    metadata,
    Column("login_id", String(80), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("redirect_uri", String(1024), nullable=False),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("expire_time", BigInteger, nullable=False),
    Index("auth_login_flows_by_end", "expire_time", "login_id"),
)
