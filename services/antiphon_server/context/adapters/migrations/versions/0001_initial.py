"""The first tables of the context service."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_resources()
    _create_messages()
    _create_requests()


def _create_resources() -> None:
    op.create_table(
        "context_workspaces",
        sa.Column("workspace_id", sa.String(80), primary_key=True),
        sa.Column("display_name", sa.String(128), nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("archive_us", sa.BigInteger, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "context_conversations",
        sa.Column("conversation_id", sa.String(80), primary_key=True),
        sa.Column("workspace_id", sa.String(80), nullable=False),
        sa.Column("title", sa.String(256), nullable=False),
        sa.Column("turn_policy", sa.Integer, nullable=False),
        sa.Column("models", sa.Text, nullable=False),
        sa.Column("instructions", sa.Text, nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("archive_us", sa.BigInteger, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index(
        "context_conversations_by_workspace",
        "context_conversations",
        ["workspace_id", "create_us", "conversation_id"],
    )
    op.create_table(
        "context_members",
        sa.Column("resource", sa.String(80), primary_key=True),
        sa.Column("user_id", sa.String(80), primary_key=True),
        sa.Column("role", sa.Integer, nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("of_workspace", sa.Boolean, nullable=False),
        sa.Column("resource_create_us", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "context_members_by_user",
        "context_members",
        ["user_id", "of_workspace", "resource_create_us", "resource"],
    )


def _create_messages() -> None:
    op.create_table(
        "context_messages",
        sa.Column("conversation_id", sa.String(80), primary_key=True),
        sa.Column("log_offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.String(80), nullable=False),
        sa.Column("role", sa.Integer, nullable=False),
        sa.Column("author", sa.String(160), nullable=False),
        sa.Column("turn_id", sa.String(80), nullable=False),
        sa.Column("truncated", sa.Boolean, nullable=False),
        sa.Column("rolled_back", sa.Boolean, nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("text_bytes", sa.Integer, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("messages_so_far", sa.Integer, nullable=False),
        sa.Column("tokens_so_far", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    for name, column in (("id", "message_id"), ("turn", "turn_id")):
        op.create_index(
            f"context_messages_by_{name}", "context_messages", ["conversation_id", column]
        )
    op.create_index(
        "context_messages_in_context",
        "context_messages",
        ["conversation_id", "rolled_back", "log_offset"],
    )
    op.create_table(
        "context_projections",
        sa.Column("conversation_id", sa.String(80), primary_key=True),
        sa.Column("cursor", sa.String(256), nullable=False),
        sa.Column("trimmed_offset", sa.BigInteger, nullable=False),
    )


def _create_requests() -> None:
    op.create_table(
        "context_outbox",
        sa.Column(
            "place",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("entry_id", sa.String(80), nullable=False, unique=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "context_requests",
        sa.Column("actor", sa.String(160), primary_key=True),
        sa.Column("request_id", sa.String(64), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
    )
    op.create_index("context_requests_by_time", "context_requests", ["create_us"])
