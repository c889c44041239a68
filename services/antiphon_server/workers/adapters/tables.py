"""The tables of who may serve what, and of versions, which are migrated with the dispatcher's."""

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, String, Table

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

versions = Table(
    "dispatcher_worker_versions",
    metadata,
    Column("parent", String(80), primary_key=True),
    Column("deployment", String(64), primary_key=True),
    Column("version", String(64), primary_key=True),
    # Counts versions as they first came, whatever clocks say.
    Column("number", BigInteger, nullable=False),
    Column("first_seen_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
)
Index("dispatcher_worker_versions_seen", versions.c.seen_us)

rollouts = Table(
    "dispatcher_worker_rollouts",
    metadata,
    Column("parent", String(80), primary_key=True),
    Column("deployment", String(64), primary_key=True),
    Column("current_version", String(64), nullable=False),
    Column("ramping_version", String(64), nullable=False),
    Column("ramping_percent", SmallInteger, nullable=False),
)

# One row: it counts changes of both. Servers look here for whether to read them anew.
version_changes = Table(
    "dispatcher_worker_version_changes",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("changes", BigInteger, nullable=False),
)

trail_outbox = outbox_table("dispatcher_trail_outbox", metadata)
