"""The tables of budgets; those of their windows are the ledger's."""

from sqlalchemy import BigInteger, Column, Integer, SmallInteger, String, Table, Text, text

from antiphon_server.integration.ledger.adapters.tables import metadata

budgets = Table(
    "integration_budgets",
    metadata,
    Column("parent", String(80), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("budget_id", String(40), nullable=False),
    Column("scope", SmallInteger, nullable=False),
    Column("subject", String(160), nullable=False),
    Column("span", SmallInteger, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("counted", SmallInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    # A JSON array of names.
    Column("targets", Text, nullable=False),
    Column("most", BigInteger, nullable=False),
    Column("when_exceeded", SmallInteger, nullable=False),
    Column("warn_percent", SmallInteger, nullable=False),
    # Since when it counts.
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    # When it was made; 0 where that was by a server of before, or is not known any more.
    Column("made_us", BigInteger, nullable=False, server_default=text("0")),
)

# One row: how often budgets were changed. Servers look here for whether to read them anew.
budget_version = Table(
    "integration_budget_version",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)
