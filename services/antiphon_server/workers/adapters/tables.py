"""The tables of who may serve what, which are migrated with the dispatcher's."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.runtime.trail.outbox import outbox_table

permissions = Table(
    "dispatcher_worker_permissions",
    metadata,
    Column("parent", String(80), primary_key=True),
    Column("handler", String(64), primary_key=True),
    Column("user_id", String(80), primary_key=True),
    Column("created_us", BigInteger, nullable=False),
    Column("creator", String(128), nullable=False),
)

# One row: how often permissions were changed. Servers look here for whether to read them anew.
permission_version = Table(
    "dispatcher_worker_permission_version",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)

trail_outbox = outbox_table("dispatcher_trail_outbox", metadata)
