"""Which API keys a turn was asked for with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "dispatcher_turns",
        sa.Column("api_keys", sa.String(length=800), server_default=sa.text("''"), nullable=False),
    )
