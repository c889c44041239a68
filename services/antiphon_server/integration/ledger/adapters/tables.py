"""The ledger's table."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    text,
)

from antiphon_server.runtime.storage.partial_index import partial_index

metadata = MetaData()


def _count(name: str) -> Column[int]:
    """Of what servers of before don't know, and of which their calls have none."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


# A call without an outcome is open: it was or will be made by its owner. "model" is the target
# of any kind of call: servers from before there were kinds write into the same table.
calls = Table(
    "integration_calls",
    metadata,
    Column("call_id", String(40), primary_key=True),
    Column("owner", String(128), nullable=False),
    Column("workspace_id", String(80), nullable=False),
    Column("conversation_id", String(80), nullable=False),
    Column("turn_id", String(80), nullable=False),
    Column("model", String(128), nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("outcome", SmallInteger),
    Column("duration_ms", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("currency", String(3)),
    Column("cost_micros", BigInteger),
    Column("error_reason", String(64), nullable=False),
    Column("kind", SmallInteger, nullable=False, server_default=text("1")),
    Column("provider_status", Integer, nullable=False, server_default=text("0")),
    Column("provider_message", String(500), nullable=False, server_default=text("''")),
    _count("cached_tokens"),
    _count("cache_write_tokens"),
    _count("reasoning_tokens"),
    _count("audio_input_tokens"),
    _count("audio_output_tokens"),
    _count("cached_audio_tokens"),
    Column("user_id", String(80), nullable=False, server_default=text("''")),
    _count("input_rate"),
    _count("output_rate"),
    _count("most_output"),
    Column("api_key_id", String(80), nullable=False, server_default=text("''")),
    sqlite_with_rowid=False,
)

# How much of a budget's windows is used: the sums of their bookings, which are changed with them.
windows = Table(
    "integration_budget_windows",
    metadata,
    Column("budget_id", String(40), primary_key=True),
    Column("subject", String(160), primary_key=True),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("spent", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("warned", Boolean, nullable=False),
    # When its first call was about to be made.
    _count("made_us"),
    sqlite_with_rowid=False,
)

# What each call takes of windows: reserved while it is open, spent once it is settled.
bookings = Table(
    "integration_bookings",
    metadata,
    Column("call_id", String(40), primary_key=True),
    Column("budget_id", String(40), primary_key=True),
    Column("subject", String(160), nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("counted", SmallInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

Index(
    "integration_calls_by_time",
    calls.c.workspace_id,
    calls.c.start_us,
    calls.c.call_id,
)
Index(
    "integration_budget_windows_by_start",
    windows.c.budget_id,
    windows.c.start_us,
    windows.c.made_us,
)
partial_index(
    "integration_calls_open",
    calls.c.owner,
    where="outcome IS NULL",
)
partial_index(
    "integration_bookings_open",
    bookings.c.call_id,
    where="reserved > 0",
)
