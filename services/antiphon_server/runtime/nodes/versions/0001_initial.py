"""The table of servers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "runtime_nodes",
        sa.Column("node", sa.String(64), primary_key=True),
        sa.Column("life", sa.String(32), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("lease_until_us", sa.BigInteger, nullable=False),
    )
