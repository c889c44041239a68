"""When conversations were last active, in whose order they are listed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it, for servers to fill in piece by piece: a table may have millions of rows."""
    for table, column in (
        ("context_conversations", "activity_us"),
        ("context_members", "resource_activity_us"),
    ):
        noted = sa.Column(column, sa.BigInteger(), server_default="0", nullable=False)
        op.add_column(table, noted)
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
    """What was there before, and what a server of the version before makes."""
    unnoted = sa.text(f"{column} = 0")
    name = f"{table}_unnoted"
    op.create_index(name, table, [key], sqlite_where=unnoted, postgresql_where=unnoted)
