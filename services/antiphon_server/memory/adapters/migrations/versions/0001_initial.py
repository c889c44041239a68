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
        sa.PrimaryKeyConstraint("turn_id", "conversation_id"),
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
        "memory_extracted",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id"),
    )
    op.create_table(
        "memory_facts",
        sa.Column("memory_id", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("hold", sa.String(length=16), nullable=False),
        sa.Column("valid_until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("memory_id"),
    )
    op.create_index("memory_facts_by_topic", "memory_facts", ["scope", "topic"], unique=False)
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
        "memory_section_versions",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("writer", sa.String(length=160), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.Column("update_us", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "version"),
    )
    op.create_index(
        "memory_section_versions_by_key",
        "memory_section_versions",
        ["conversation_id", "key", "version"],
        unique=False,
    )
    op.create_table(
        "memory_sections",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("writer", sa.String(length=160), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.Column("update_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "key"),
    )
    op.create_table(
        "memory_versions",
        sa.Column("memory_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("memory_id", "version"),
    )
    op.create_table(
        "memory_whiteboard_outbox",
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
        "memory_whiteboard_requests",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(
        "memory_whiteboard_requests_by_time",
        "memory_whiteboard_requests",
        ["create_us"],
        unique=False,
    )
    op.create_table(
        "memory_whiteboards",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("life_us", sa.BigInteger(), nullable=False),
        sa.Column("expire_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("conversation_id"),
    )
    op.create_index(
        "memory_whiteboards_by_expiry", "memory_whiteboards", ["expire_us"], unique=False
    )
