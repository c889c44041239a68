"""The documents that are given along with connections."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column("integration_connections", sa.Column("document", sa.LargeBinary(), nullable=True))
