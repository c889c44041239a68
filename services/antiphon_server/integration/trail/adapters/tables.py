"""The table of what the audit trail has not been told yet."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from antiphon_server.integration.ledger.adapters.tables import metadata

trail_outbox = Table(
    "integration_trail_outbox",
    metadata,
    Column(
        "place",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("entry_id", String(80), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
)
