"""The tables of filters, which are migrated with those of context."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from antiphon_server.context.adapters.tables import metadata
from antiphon_server.runtime.revisions.sql import revision_tables
from antiphon_server.runtime.trail.outbox import outbox_table

tables = revision_tables("context_filters", "context_filter_changes", metadata)
trail_outbox = outbox_table("context_filter_trail_outbox", metadata)

screenings = Table(
    "context_screenings",
    metadata,
    Column("screening_id", String(80), primary_key=True),
    Column("workspace_id", String(80), nullable=False),
    Column("author", String(160), nullable=False),
    Column("action", Integer, nullable=False),
    # The contract's Screening, serialised.
    Column("body", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index("context_screenings_newest", "created_us", "screening_id"),
    Index("context_screenings_by_workspace", "workspace_id", "created_us", "screening_id"),
    Index("context_screenings_by_author", "author", "created_us", "screening_id"),
)
log_outbox = outbox_table("context_screening_log_outbox", metadata)
