"""What stands in front of what is said."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "context_filter_changes",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "context_filter_trail_outbox",
        sa.Column(
            "place",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_table(
        "context_filters",
        sa.Column("parent", sa.String(length=80), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule_count", sa.SmallInteger(), nullable=False),
        sa.Column("rules", sa.LargeBinary(), nullable=False),
        sa.Column("creator", sa.String(length=128), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("comment", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("parent", "revision"),
    )
    op.create_table(
        "context_screening_log_outbox",
        sa.Column(
            "place",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_table(
        "context_screenings",
        sa.Column("screening_id", sa.String(length=80), nullable=False),
        sa.Column("workspace_id", sa.String(length=80), nullable=False),
        sa.Column("author", sa.String(length=160), nullable=False),
        sa.Column("action", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id"),
    )
    op.create_index(
        "context_screenings_by_author",
        "context_screenings",
        ["author", "created_us", "screening_id"],
        unique=False,
    )
    op.create_index(
        "context_screenings_by_workspace",
        "context_screenings",
        ["workspace_id", "created_us", "screening_id"],
        unique=False,
    )
    op.create_index(
        "context_screenings_newest",
        "context_screenings",
        ["created_us", "screening_id"],
        unique=False,
    )
