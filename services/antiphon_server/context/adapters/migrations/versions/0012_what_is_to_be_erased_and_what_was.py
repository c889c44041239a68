"""What is to be erased, and what was."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "context_erasures",
        sa.Column("erasure_id", sa.String(length=80), nullable=False),
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id"),
    )
    op.create_index(
        op.f("ix_context_erasures_conversation_id"),
        "context_erasures",
        ["conversation_id"],
        unique=False,
    )
    op.add_column(
        "context_messages",
        sa.Column("erased", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
