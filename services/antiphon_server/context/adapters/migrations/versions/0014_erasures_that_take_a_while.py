"""Erasures that take a while."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "context_erasure_tasks",
        sa.Column("resource", sa.String(length=96), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.Column("done_us", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("resource"),
    )
    op.create_index(
        "context_erasure_tasks_waiting",
        "context_erasure_tasks",
        ["done_us", "create_us"],
        unique=False,
    )
    op.create_index(
        "context_messages_by_author",
        "context_messages",
        ["author", "conversation_id", "log_offset"],
        unique=False,
    )
