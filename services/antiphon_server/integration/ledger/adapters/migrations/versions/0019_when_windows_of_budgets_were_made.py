"""When windows of budgets were made."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "integration_budget_windows",
        sa.Column("made_us", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.create_index(
        "integration_budget_windows_by_start",
        "integration_budget_windows",
        ["budget_id", "start_us", "made_us"],
        unique=False,
    )
