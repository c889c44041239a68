"""The table of what the audit trail has not been told yet."""

from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.runtime.trail.outbox import outbox_table

trail_outbox = outbox_table("integration_trail_outbox", metadata)
