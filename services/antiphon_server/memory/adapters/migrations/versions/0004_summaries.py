"""Summaries of long conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "memory_summaries",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("retry_us", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "level", "number"),
    )
    op.create_index(
        "memory_summaries_by_state",
        "memory_summaries",
        ["state", "conversation_id", "level", "number"],
        unique=False,
    )
    op.create_table(
        "memory_summary_messages",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "message_id"),
    )
    op.create_index(
        "memory_summary_messages_of_block",
        "memory_summary_messages",
        ["conversation_id", "block", "place"],
        unique=False,
    )
    op.create_table(
        "memory_summary_places",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id"),
    )
