"""Who is told when turns end."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "dispatcher_deliveries",
        sa.Column("webhook_id", sa.String(length=80), nullable=False),
        sa.Column("notification_id", sa.String(length=80), nullable=False),
        sa.Column("host", sa.String(length=300), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("attempt_us", sa.BigInteger(), nullable=True),
        sa.Column("next_us", sa.BigInteger(), nullable=True),
        sa.Column("claim", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", "notification_id"),
    )
    op.create_index(
        "dispatcher_deliveries_due",
        "dispatcher_deliveries",
        ["next_us"],
        unique=False,
        sqlite_where=sa.text("next_us IS NOT NULL"),
        postgresql_where=sa.text("next_us IS NOT NULL"),
    )
    op.create_index(
        "dispatcher_deliveries_listed",
        "dispatcher_deliveries",
        ["webhook_id", "created_us", "notification_id"],
        unique=False,
    )
    op.create_index(
        "dispatcher_deliveries_old", "dispatcher_deliveries", ["created_us"], unique=False
    )
    op.create_table(
        "dispatcher_notes",
        sa.Column("notification_id", sa.String(length=80), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("creator", sa.String(length=128), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("notification_id"),
    )
    op.create_index("dispatcher_notes_left", "dispatcher_notes", ["created_us"], unique=False)
    op.create_table(
        "dispatcher_webhook_trail_outbox",
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
        "dispatcher_webhooks",
        sa.Column("webhook_id", sa.String(length=80), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("creator", sa.String(length=128), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(length=80), nullable=False),
        sa.Column("disabled", sa.SmallInteger(), nullable=False),
        sa.Column("failing_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("webhook_id"),
    )
    op.create_index("dispatcher_webhooks_owner", "dispatcher_webhooks", ["owner"], unique=False)
