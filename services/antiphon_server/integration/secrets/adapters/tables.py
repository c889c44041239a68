"""The tables of secrets."""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from antiphon_server.integration.ledger.adapters.tables import metadata

# Keys of the installation, sealed by its own secret. The newest wraps; older ones go when they
# wrap nothing any more.
secret_keys = Table(
    "integration_secret_keys",
    metadata,
    Column("key_id", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)
secrets = Table(
    "integration_secrets",
    metadata,
    Column("workspace_id", String(80), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("key_id", String(64), nullable=False, index=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)
