"""What waits for webhooks is bounded."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column("dispatcher_deliveries", sa.Column("again_us", sa.BigInteger(), nullable=True))
    op.create_index(
        "dispatcher_deliveries_backlog",
        "dispatcher_deliveries",
        ["webhook_id"],
        unique=False,
        sqlite_where=sa.text("next_us IS NOT NULL"),
        postgresql_where=sa.text("next_us IS NOT NULL"),
    )
    op.add_column("dispatcher_webhooks", sa.Column("full_us", sa.BigInteger(), nullable=True))
    op.add_column(
        "dispatcher_webhooks",
        sa.Column("dropped", sa.BigInteger(), server_default="0", nullable=False),
    )
