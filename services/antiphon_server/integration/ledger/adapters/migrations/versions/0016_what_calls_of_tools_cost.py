"""What calls of tools cost."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "integration_tool_rules", sa.Column("price_currency", sa.String(length=3), nullable=True)
    )
    op.add_column(
        "integration_tool_rules", sa.Column("price_micros", sa.BigInteger(), nullable=True)
    )
