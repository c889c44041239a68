"""Memories are found by their sources, and erased ones are refused."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "memory_erased_sources",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "message_id"),
    )
    op.create_index(
        "memory_erased_sources_by_time", "memory_erased_sources", ["create_us"], unique=False
    )
    op.create_table(
        "memory_sources",
        sa.Column("memory_id", sa.String(length=80), nullable=False),
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("memory_id", "conversation_id", "message_id"),
    )
    op.create_index(
        "memory_sources_by_message",
        "memory_sources",
        ["conversation_id", "message_id"],
        unique=False,
    )
    op.create_index(
        "memory_assemblies_of_conversation", "memory_assemblies", ["conversation_id"], unique=False
    )
