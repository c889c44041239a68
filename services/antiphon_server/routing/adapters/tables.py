"""The tables of routes, which are migrated with the dispatcher's."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, SmallInteger, String, Table

from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.runtime.trail.outbox import outbox_table

routes = Table(
    "dispatcher_routes",
    metadata,
    Column("parent", String(80), primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("rule_count", SmallInteger, nullable=False),
    # The contract's Routes with its rules alone, serialised.
    Column("rules", LargeBinary, nullable=False),
    Column("creator", String(128), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("comment", String(256), nullable=False),
)

# One row: how often routes were changed. Servers look here for whether to read them anew.
route_changes = Table(
    "dispatcher_route_changes",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("changes", BigInteger, nullable=False),
)

trail_outbox = outbox_table("dispatcher_route_trail_outbox", metadata)
