"""The tables of routes, which are migrated with the dispatcher's."""

from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.runtime.revisions.sql import revision_tables
from antiphon_server.runtime.trail.outbox import outbox_table

tables = revision_tables("dispatcher_routes", "dispatcher_route_changes", metadata)
trail_outbox = outbox_table("dispatcher_route_trail_outbox", metadata)
