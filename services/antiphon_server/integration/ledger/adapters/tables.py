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
    sqlite_with_rowid=False,
)

Index(
    "integration_calls_by_time",
    calls.c.workspace_id,
    calls.c.start_us,
    calls.c.call_id,
)
partial_index(
    "integration_calls_open",
    calls.c.owner,
    where="outcome IS NULL",
)
