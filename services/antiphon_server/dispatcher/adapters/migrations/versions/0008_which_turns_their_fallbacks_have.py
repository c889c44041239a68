"""Which turns their fallbacks have."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "dispatcher_turns",
        sa.Column("fell_back", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
