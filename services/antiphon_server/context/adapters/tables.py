"""The tables of the context service. Times are microseconds since 1970."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from antiphon_server.runtime.storage.partial_index import partial_index

metadata = MetaData()
UNNOTED = "activity_us = 0"
UNNOTED_OF_MEMBER = "resource_activity_us = 0"
OF_A_CONVERSATION = "kind = 'conversation'"

workspaces = Table(
    "context_workspaces",
    metadata,
    Column("workspace_id", String(80), primary_key=True),
    Column("display_name", String(128), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("archive_us", BigInteger, nullable=True),
    Column("version", Integer, nullable=False),
)

conversations = Table(
    "context_conversations",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("workspace_id", String(80), nullable=False),
    Column("title", String(256), nullable=False),
    Column("turn_policy", Integer, nullable=False),
    Column("models", Text, nullable=False),  # a JSON list
    Column("instructions", Text, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("archive_us", BigInteger, nullable=True),
    Column("version", Integer, nullable=False),
    # Of the newest message, or else of the making; 0 from a server of the version before.
    Column("activity_us", BigInteger, nullable=False, server_default="0"),
    Column("max_output_tokens", Integer, nullable=False, server_default=text("0")),
    Column("tools", Text, nullable=False, server_default="[]"),  # a JSON list
    Column("labels", Text, nullable=False, server_default="{}"),  # a JSON object
    Column("language", String(64), nullable=False, server_default=""),
    Column("title_author", String(160), nullable=False, server_default=""),
    Index("context_conversations_by_workspace", "workspace_id", "create_us", "conversation_id"),
    Index("context_conversations_by_activity", "workspace_id", "activity_us", "conversation_id"),
)
partial_index("context_conversations_unnoted", conversations.c.conversation_id, where=UNNOTED)

members = Table(
    "context_members",
    metadata,
    Column("resource", String(80), primary_key=True),
    Column("user_id", String(80), primary_key=True),
    Column("role", Integer, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    # Of the resource: a user's resources are listed in this order.
    Column("of_workspace", Boolean, nullable=False),
    Column("resource_create_us", BigInteger, nullable=False),
    Column("resource_activity_us", BigInteger, nullable=False, server_default="0"),
    Index("context_members_by_user", "user_id", "of_workspace", "resource_create_us", "resource"),
    Index(
        "context_members_by_activity", "user_id", "of_workspace", "resource_activity_us", "resource"
    ),
)
partial_index("context_members_unnoted", members.c.resource, where=UNNOTED_OF_MEMBER)

notices = Table(
    "context_notices",
    metadata,
    Column("notice_id", String(80), primary_key=True),
    Column("text", Text, nullable=False),
    Column("publish_us", BigInteger, nullable=False),
    Column("expire_us", BigInteger, nullable=False),
    Column("withdraw_us", BigInteger, nullable=True),
    Column("end_us", BigInteger, nullable=False, index=True),  # the earlier of the two
)

messages = Table(
    "context_messages",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("log_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", String(80), nullable=False),
    Column("role", Integer, nullable=False),
    Column("author", String(160), nullable=False),
    Column("turn_id", String(80), nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("rolled_back", Boolean, nullable=False),  # or an aside, or erased: not in the context
    Column("create_us", BigInteger, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("text_bytes", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    # Of this message and all before it, so that a sum over a history is one row.
    Column("messages_so_far", Integer, nullable=False),
    Column("tokens_so_far", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # last: the rest is read without it
    Column("erased", Boolean, nullable=False, server_default=text("false")),
    Index("context_messages_by_id", "conversation_id", "message_id"),
    Index("context_messages_by_turn", "conversation_id", "turn_id"),
    Index("context_messages_by_author", "author", "conversation_id", "log_offset"),
    Index("context_messages_in_context", "conversation_id", "rolled_back", "log_offset"),
)

projections = Table(
    "context_projections",
    metadata,
    Column("conversation_id", String(80), primary_key=True),
    Column("cursor", String(256), nullable=False),
    Column("trimmed_offset", BigInteger, nullable=False),
)


erasures = Table(
    "context_erasures",
    metadata,
    Column("erasure_id", String(80), primary_key=True),
    Column("conversation_id", String(80), nullable=False, index=True),
    Column("create_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # ids alone
)

# Erasures that take a while. Of a conversation it stays: nobody writes there any more.
erasure_tasks = Table(
    "context_erasure_tasks",
    metadata,
    Column("resource", String(96), primary_key=True),
    Column("create_us", BigInteger, nullable=False),
    Column("done_us", BigInteger, nullable=False),  # 0: it isn't
    Column("claimed_until_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("context_erasure_tasks_in_turn", "done_us", "claimed_until_us", "create_us"),
)


def _place() -> Column[int]:
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column("place", kind, primary_key=True, autoincrement=True)


def _outbox(name: str) -> Table:
    return Table(
        name,
        metadata,
        _place(),
        Column("entry_id", String(80), nullable=False, unique=True),
        Column("body", LargeBinary, nullable=False),
    )


outbox = _outbox("context_outbox")
audit_outbox = _outbox("context_audit_outbox")

set_aside = Table(
    "context_outbox_set_aside",
    metadata,
    _place(),
    Column("outbox", String(80), nullable=False),  # the table that it was in
    Column("entry_id", String(80), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
    Column("why", String(64), nullable=False),
    Column("set_aside_us", BigInteger, nullable=False),
)

requests = Table(
    "context_requests",
    metadata,
    Column("actor", String(160), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    # Of which conversation it tells, if of one; servers of the version before don't say.
    Column("conversation_id", String(80), nullable=False, server_default=""),
    Index("context_requests_by_time", "create_us"),
)
partial_index(
    "context_requests_of_conversations", requests.c.conversation_id, where=OF_A_CONVERSATION
)
