"""The table of connections."""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from antiphon_server.integration.ledger.adapters.tables import metadata

# What a workspace has set of each, as JSON, and a document that was given with it.
connections = Table(
    "integration_connections",
    metadata,
    Column("workspace_id", String(80), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("record", LargeBinary, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("document", LargeBinary),
)
# Which hosts a workspace's connections may call, as a JSON list; no row for all of them.
egress_rules = Table(
    "integration_egress_rules",
    metadata,
    Column("workspace_id", String(80), primary_key=True),
    Column("hosts", LargeBinary, nullable=False),
    Column("etag", String(64), nullable=False),
)
