"""The table of what users want to be known by."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from antiphon_server.auth.adapters.metadata import metadata

profiles = Table(
    "auth_profiles",
    metadata,
    Column("user_id", String(80), primary_key=True),
    Column("workspace_id", String(80), primary_key=True),
    Column("locale", String(64), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("call_name", String(64), nullable=False),
    Column("preferences", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("update_time", BigInteger, nullable=False),
)
