"""The dispatcher's tables."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    text,
)

from antiphon_server.runtime.storage.partial_index import partial_index

metadata = MetaData()
AT_WORKERS = "state < 4 AND worker_deployment <> ''"
"""Open turns that workers have, in the very words of their index."""

turns = Table(
    "dispatcher_turns",
    metadata,
    Column("turn_id", String(80), primary_key=True),
    Column("conversation_id", String(80), primary_key=True),
    Column("creator", String(128), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("workspace_id", String(80), nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at_once", Boolean, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger, nullable=False),
    Column("has_reply", Boolean, nullable=False),
    # JSON of what was asked for and of how it ended; the message's content beside it.
    Column("order_json", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("outcome_json", LargeBinary, nullable=False),
    Column("node", String(128), nullable=False),
    Column("lease_until_us", BigInteger, nullable=False),
    Column("cursor", String(256), nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    # Ids, with spaces between.
    Column("api_keys", String(800), nullable=False, server_default=text("''")),
    # Which worker began it: of whose handlers, and of which version. Nothing of them is written
    # with the rest of a turn.
    Column("worker_parent", String(80), nullable=False, server_default=text("''")),
    Column("worker_deployment", String(64), nullable=False, server_default=text("''")),
    Column("worker_version", String(64), nullable=False, server_default=text("''")),
    # Whether its order's fallback has it: the order itself never changes.
    Column("fell_back", Boolean, nullable=False, server_default=text("false")),
    # The hand-off by which people gave it to a handler, and that handler, with a space between.
    Column("returned", String(180), nullable=False, server_default=text("''")),
    # Who has said which expert shall have it, and that one, with a space between: either may be "".
    Column("chosen", String(200), nullable=False, server_default=text("''")),
)

handoffs = Table(
    "dispatcher_handoffs",
    metadata,
    # Turns that wait for people, by workspace; the log knows better.
    Column("handoff_id", String(96), primary_key=True),
    Column("conversation_id", String(80), primary_key=True),
    Column("workspace_id", String(80), nullable=False),
    Column("turn_id", String(80), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    # A QueuedHandoff, serialised.
    Column("item", LargeBinary, nullable=False),
)

lanes = Table(
    "dispatcher_lanes",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("node", String(128), nullable=False),
)

Index("dispatcher_lanes_by_node", lanes.c.node)
Index(
    "dispatcher_handoffs_queued",
    *(handoffs.c.workspace_id, handoffs.c.created_us, handoffs.c.handoff_id),
)
Index("dispatcher_turns_newest", turns.c.created_us)
Index("dispatcher_turns_listed", turns.c.conversation_id, turns.c.created_us, turns.c.turn_id)
# Only turns that have not ended are in this index.
partial_index(
    "dispatcher_turns_open",
    turns.c.lease_until_us,
    where="state < 4",
)
partial_index(
    "dispatcher_turns_of_version",
    *(turns.c.worker_parent, turns.c.worker_deployment, turns.c.worker_version),
    where=AT_WORKERS,
)
