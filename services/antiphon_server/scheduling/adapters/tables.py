"""The tables of schedules, which are migrated with the dispatcher's."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    false,
)

from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.runtime.trail.outbox import outbox_table

schedules = Table(
    "dispatcher_schedules",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("schedule_id", String(80), primary_key=True),
    Column("workspace_id", String(80), nullable=False),
    Column("creator", String(128), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("life", String(80), nullable=False),
    # The contract's Schedule with what its message says alone, serialised.
    Column("body", LargeBinary, nullable=False),
    # The one time; NULL where there is a rule.
    Column("at_us", BigInteger),
    Column("cron", String(256), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("missed", SmallInteger, nullable=False),
    Column("paused", Boolean, nullable=False),
    # The API keys of the creator's session, with spaces between.
    Column("api_keys", Text, nullable=False),
    Column("etag", String(80), nullable=False),
    # NULL if nothing is due.
    Column("next_us", BigInteger),
    Column("last_us", BigInteger),
    Column("last_turn_id", String(80), nullable=False),
    Column("last_error", String(64), nullable=False),
    Column("failures", SmallInteger, nullable=False),
    Column("last_conversation_id", String(80), nullable=False, server_default=""),
    Index("dispatcher_schedules_due", "next_us", "conversation_id", "schedule_id"),
    Index("dispatcher_schedules_creator", "creator"),
    Index("dispatcher_schedules_workspace", "workspace_id"),
)

schedule_runs = Table(
    "dispatcher_schedule_runs",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("schedule_id", String(80), primary_key=True),
    Column("due_us", BigInteger, primary_key=True, autoincrement=False),
    Column("run_us", BigInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("turn_id", String(80), nullable=False),
    Column("error", String(64), nullable=False),
    Column("skipped", BigInteger, nullable=False),
    # Where the turn is; empty without one.
    Column("run_conversation_id", String(80), nullable=False, server_default=""),
    # Whether its schedule was paused by it.
    Column("paused", Boolean, nullable=False, server_default=false()),
    # When it was decided, as long as the log of the conversation is to be told; else NULL.
    Column("untold_us", BigInteger),
    Index("dispatcher_schedule_runs_untold", "untold_us"),
)

trail_outbox = outbox_table("dispatcher_schedule_trail_outbox", metadata)
