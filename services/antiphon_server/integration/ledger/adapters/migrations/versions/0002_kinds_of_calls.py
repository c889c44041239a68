"""What kind of call each is: those of servers that don't say so were models'."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    kind = sa.Column("kind", sa.SmallInteger, nullable=False, server_default=sa.text("1"))
    op.add_column("integration_calls", kind)
