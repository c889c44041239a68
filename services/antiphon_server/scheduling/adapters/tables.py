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
)

from antiphon_server.dispatcher.adapters.tables import metadata

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
)
