"""Which memories of others there are, and how far each was told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "memory_external_cursors",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "scope"),
    )
    op.create_table(
        "memory_external_forgets",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("memory_id", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("told_us", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "memory_id"),
    )
    op.create_index(
        "memory_external_forgets_due", "memory_external_forgets", ["name", "next_us"], unique=False
    )
    op.create_table(
        "memory_externals",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=160), nullable=False),
        sa.Column("lease_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
