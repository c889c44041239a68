"""Which attempt of a turn has kept a result."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "integration_tool_results",
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
    )
