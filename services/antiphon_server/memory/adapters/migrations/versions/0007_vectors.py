"""Vectors that search has made of messages and memories."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "memory_vector_places",
        sa.Column("place", sa.String(length=112), nullable=False),
        sa.Column("use_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("memory_vector_places_by_use", "memory_vector_places", ["use_us"], unique=False)
    op.create_table(
        "memory_vectors",
        sa.Column("place", sa.String(length=112), nullable=False),
        sa.Column("document_id", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("forget_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("place", "document_id"),
    )
    op.create_index(
        "memory_vectors_forgotten",
        "memory_vectors",
        ["forget_us"],
        unique=False,
        sqlite_where=sa.text("forget_us IS NOT NULL"),
        postgresql_where=sa.text("forget_us IS NOT NULL"),
    )
