"""The table of what operators say of breakers."""

from sqlalchemy import Boolean, Column, Integer, String, Table

from antiphon_server.integration.ledger.adapters.tables import metadata

# The number grows with each time that something is said, so that servers see what is new.
switches = Table(
    "integration_switches",
    metadata,
    Column("target", String(200), primary_key=True),
    Column("open", Boolean, nullable=False),
    Column("number", Integer, nullable=False),
)
