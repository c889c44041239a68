"""The table of identities."""

from sqlalchemy import BigInteger, Column, Index, String, Table

from antiphon_server.auth.adapters.metadata import metadata

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
