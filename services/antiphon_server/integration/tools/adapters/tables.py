"""The tables of tools."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from antiphon_server.integration.ledger.adapters.tables import metadata

# What workspaces have said of tools; nothing stands here for the others.
tool_rules = Table(
    "integration_tool_rules",
    metadata,
    Column("workspace_id", String(80), primary_key=True),
    Column("tool", String(128), primary_key=True),
    Column("rule", SmallInteger, nullable=False),
    Column("price_currency", String(3)),
    Column("price_micros", BigInteger),
    sqlite_with_rowid=False,
)

# What tools were when workspaces took them: a Definition's canonical JSON, and its digest.
tool_pins = Table(
    "integration_tool_pins",
    metadata,
    Column("workspace_id", String(80), primary_key=True),
    Column("tool", String(128), primary_key=True),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("definition", Text, nullable=False),
)

# Results that are longer than what events hold, each part in one row, whole.
tool_results = Table(
    "integration_tool_results",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("tool_call_id", String(80), primary_key=True),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("workspace_id", String(80), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("media_type", String(128), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Index("integration_tool_results_age", "workspace_id", "created_us", "tool_call_id", "size"),
)
