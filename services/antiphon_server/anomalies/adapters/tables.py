"""The tables of anomalies, which are migrated with those of context."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, String, Table

from antiphon_server.context.adapters.tables import metadata
from antiphon_server.runtime.revisions.sql import revision_tables
from antiphon_server.runtime.trail.outbox import outbox_table

tables = revision_tables("context_detectors", "context_detector_changes", metadata)
trail_outbox = outbox_table("context_anomaly_trail_outbox", metadata)

flags = Table(
    "context_flags",
    metadata,
    Column("flag_id", String(80), primary_key=True),
    Column("parent", String(80), nullable=False),
    Column("subject", String(160), nullable=False),
    # What one flag at a time is open for: its parent, detector and subject; that of a closed one is
    # its own id.
    Column("open_key", String(320), nullable=False, unique=True),
    Column("effect", SmallInteger, nullable=False),
    Column("effect_end_us", BigInteger, nullable=False),
    Column("cleared_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
    # The contract's Flag, serialised.
    Column("body", LargeBinary, nullable=False),
    Index("context_flags_newest", "changed_us", "flag_id"),
    Index("context_flags_by_parent", "parent", "changed_us", "flag_id"),
    Index("context_flags_by_subject", "subject", "changed_us", "flag_id"),
    Index("context_flags_biting", "effect", "effect_end_us"),
    Index("context_flags_cleared", "cleared_us"),
)

told = Table(
    "context_said",
    metadata,
    # What a server, which lives once, has told the others: its first word, its second, …
    Column("node_id", String(80), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("told_us", BigInteger, nullable=False),
    # Who has said how much, and digests; in JSON.
    Column("body", LargeBinary, nullable=False),
    Index("context_said_newest", "told_us"),
)
