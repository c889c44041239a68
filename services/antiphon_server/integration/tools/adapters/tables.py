"""The tables of tools."""

from sqlalchemy import Column, LargeBinary, SmallInteger, String, Table, Text

from antiphon_server.integration.ledger.adapters.tables import metadata

# What workspaces have said of tools; nothing stands here for the others.
tool_rules = Table(
    "integration_tool_rules",
    metadata,
    Column("workspace_id", String(80), primary_key=True),
    Column("tool", String(128), primary_key=True),
    Column("rule", SmallInteger, nullable=False),
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
