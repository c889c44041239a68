"""Entities, their names and mentions."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "memory_entities",
        sa.Column("entity_id", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("root_id", sa.String(length=80), nullable=False),
        sa.Column("merged_into", sa.String(length=80), nullable=False),
        sa.Column("merger", sa.String(length=160), nullable=False),
        sa.Column("merge_us", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("origin", sa.Integer(), nullable=False),
        sa.Column("creator", sa.String(length=160), nullable=False),
        sa.Column("updater", sa.String(length=160), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.Column("update_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity_id"),
    )
    op.create_index("memory_entities_of_root", "memory_entities", ["root_id"], unique=False)
    op.create_index(
        "memory_entities_of_scope", "memory_entities", ["scope", "entity_id"], unique=False
    )
    op.create_table(
        "memory_entity_barred",
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("scope", "digest"),
    )
    op.create_table(
        "memory_entity_mentions",
        sa.Column("mention_id", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("entity_id", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("memory_id", sa.String(length=80), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("create_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mention_id"),
    )
    op.create_index(
        "memory_entity_mentions_by_memory", "memory_entity_mentions", ["memory_id"], unique=False
    )
    op.create_index(
        "memory_entity_mentions_of_entity",
        "memory_entity_mentions",
        ["entity_id", "mention_id"],
        unique=False,
    )
    op.create_index(
        "memory_entity_mentions_once",
        "memory_entity_mentions",
        ["conversation_id", "message_id", "memory_id", "scope", "start", "key"],
        unique=True,
    )
    op.create_table(
        "memory_entity_names",
        sa.Column("entity_id", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.Column("by_person", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("entity_id", "key"),
    )
    op.create_index(
        "memory_entity_names_by_key", "memory_entity_names", ["scope", "key"], unique=False
    )
    op.create_table(
        "memory_entity_scopes",
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
