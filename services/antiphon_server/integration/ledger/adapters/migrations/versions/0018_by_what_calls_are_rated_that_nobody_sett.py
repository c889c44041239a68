"""By what calls are rated that nobody settles."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "integration_calls",
        sa.Column("input_rate", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "integration_calls",
        sa.Column("output_rate", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "integration_calls",
        sa.Column("most_output", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
