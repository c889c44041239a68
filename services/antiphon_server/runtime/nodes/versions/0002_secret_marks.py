"""Which secret the servers of a database have."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "runtime_secret_marks",
        sa.Column("store", sa.String(16), primary_key=True),
        sa.Column("mark", sa.String(64), nullable=False),
    )
