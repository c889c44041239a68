"""When conversations were last active, in whose order they are listed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


_CONVERSATIONS = """
UPDATE context_conversations SET activity_us = coalesce((
  SELECT create_us FROM context_messages
  WHERE context_messages.conversation_id = context_conversations.conversation_id
  ORDER BY log_offset DESC LIMIT 1
), create_us)
"""
_MEMBERS = """
UPDATE context_members SET resource_activity_us = coalesce((
  SELECT activity_us FROM context_conversations WHERE conversation_id = resource
), resource_create_us)
"""


def upgrade() -> None:
    """Add it: what the newest known message says, or else when they were made."""
    for table, column in (
        ("context_conversations", "activity_us"),
        ("context_members", "resource_activity_us"),
    ):
        noted = sa.Column(column, sa.BigInteger(), server_default="0", nullable=False)
        op.add_column(table, noted)
    op.execute(_CONVERSATIONS)
    op.execute(_MEMBERS)
    op.create_index(
        "context_conversations_by_activity",
        "context_conversations",
        ["workspace_id", "activity_us", "conversation_id"],
    )
    op.create_index(
        "context_members_by_activity",
        "context_members",
        ["user_id", "of_workspace", "resource_activity_us", "resource"],
    )
    _index_of_unnoted("context_conversations", "conversation_id", "activity_us")
    _index_of_unnoted("context_members", "resource", "resource_activity_us")


def _index_of_unnoted(table: str, key: str, column: str) -> None:
    """What a server of the version before has made."""
    unnoted = sa.text(f"{column} = 0")
    name = f"{table}_unnoted"
    op.create_index(name, table, [key], sqlite_where=unnoted, postgresql_where=unnoted)
