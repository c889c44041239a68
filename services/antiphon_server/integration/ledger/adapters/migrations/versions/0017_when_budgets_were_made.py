"""When budgets were made."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "integration_budgets",
        sa.Column("made_us", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
