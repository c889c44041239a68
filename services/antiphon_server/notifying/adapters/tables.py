"""The tables of notifications, which are migrated with the dispatcher's."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
)

from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.runtime.storage.partial_index import partial_index
from antiphon_server.runtime.trail.outbox import outbox_table

# What is to be told, until it is: written with a turn's end, and gone with its deliveries' coming.
notes = Table(
    "dispatcher_notes",
    metadata,
    Column("notification_id", String(80), primary_key=True),
    Column("created_us", BigInteger, nullable=False),
    Column("creator", String(128), nullable=False),
    # The contract's Event, serialised.
    Column("body", LargeBinary, nullable=False),
    Index("dispatcher_notes_left", "created_us"),
)

webhooks = Table(
    "dispatcher_webhooks",
    metadata,
    Column("webhook_id", String(80), primary_key=True),
    Column("owner", String(128), nullable=False),
    Column("creator", String(128), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    # The contract's Webhook with what its owner says alone, serialised.
    Column("said", LargeBinary, nullable=False),
    # Keys and until when they sign, sealed by the installation's secret.
    Column("secrets", LargeBinary, nullable=False),
    Column("etag", String(80), nullable=False),
    Column("disabled", SmallInteger, nullable=False),
    # NULL if the newest delivery was taken.
    Column("failing_us", BigInteger),
    # NULL unless so much waits for it that more is not kept.
    Column("full_us", BigInteger),
    # How much was not kept, or given up since it was too old.
    Column("dropped", BigInteger, nullable=False, server_default="0"),
    Index("dispatcher_webhooks_owner", "owner"),
)

deliveries = Table(
    "dispatcher_deliveries",
    metadata,
    Column("webhook_id", String(80), primary_key=True),
    Column("notification_id", String(80), primary_key=True),
    Column("host", String(300), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    # What is posted.
    Column("body", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("attempt_us", BigInteger),
    # NULL if it is not tried any more; of one that is being posted, when that is believed lost.
    Column("next_us", BigInteger),
    # Which look of which server has it, or had it last.
    Column("claim", String(80), nullable=False),
    # When somebody wanted it posted again; NULL if nobody has.
    Column("again_us", BigInteger),
    Index("dispatcher_deliveries_listed", "webhook_id", "created_us", "notification_id"),
    Index("dispatcher_deliveries_old", "created_us"),
)
partial_index("dispatcher_deliveries_due", deliveries.c.next_us, where="next_us IS NOT NULL")
partial_index("dispatcher_deliveries_backlog", deliveries.c.webhook_id, where="next_us IS NOT NULL")

trail_outbox = outbox_table("dispatcher_webhook_trail_outbox", metadata)
