"""Memory's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "memory_assemblies",
        sa.Column("turn_id", sa.String(length=80), nullable=False),
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("turn_id"),
    )
    op.create_index("memory_assemblies_by_time", "memory_assemblies", ["create_us"], unique=False)
    op.create_table(
        "memory_audit_outbox",
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
        "memory_memories",
        sa.Column("memory_id", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.Column("expire_us", sa.BigInteger(), nullable=True),
        sa.Column("same", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("memory_id"),
    )
    op.create_index(
        "memory_memories_about", "memory_memories", ["subject", "memory_id"], unique=False
    )
    op.create_index(
        "memory_memories_changed", "memory_memories", ["scope", "revision"], unique=False
    )
    op.create_index("memory_memories_expiring", "memory_memories", ["expire_us"], unique=False)
    op.create_index(
        "memory_memories_of_scope", "memory_memories", ["scope", "memory_id"], unique=False
    )
    op.create_index("memory_memories_same", "memory_memories", ["scope", "same"], unique=False)
    op.create_table(
        "memory_requests",
        sa.Column("actor", sa.String(length=160), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("memory_id", sa.String(length=80), nullable=False),
        sa.Column("merged", sa.Boolean(), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "request_id"),
    )
    op.create_index("memory_requests_by_time", "memory_requests", ["create_us"], unique=False)
    op.create_index("memory_requests_of_memory", "memory_requests", ["memory_id"], unique=False)
    op.create_table(
        "memory_scopes",
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "memory_versions",
        sa.Column("memory_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("memory_id", "version"),
    )
