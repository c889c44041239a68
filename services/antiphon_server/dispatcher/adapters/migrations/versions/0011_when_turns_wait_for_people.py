"""When turns wait for people."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "dispatcher_handoffs",
        sa.Column("handoff_id", sa.String(length=96), nullable=False),
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("workspace_id", sa.String(length=80), nullable=False),
        sa.Column("turn_id", sa.String(length=80), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("handoff_id", "conversation_id"),
    )
    op.create_index(
        "dispatcher_handoffs_queued",
        "dispatcher_handoffs",
        ["workspace_id", "created_us", "handoff_id"],
        unique=False,
    )
    op.add_column(
        "dispatcher_turns",
        sa.Column("returned", sa.String(length=180), server_default=sa.text("''"), nullable=False),
    )
