"""Rules of tools."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "integration_tool_rules",
        sa.Column("workspace_id", sa.String(length=80), nullable=False),
        sa.Column("tool", sa.String(length=128), nullable=False),
        sa.Column("rule", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "tool"),
        sqlite_with_rowid=False,
    )
