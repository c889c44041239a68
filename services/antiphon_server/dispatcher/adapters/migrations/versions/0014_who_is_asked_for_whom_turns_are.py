"""Who is asked for whom turns are."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "dispatcher_turns",
        sa.Column("chosen", sa.String(length=200), server_default=sa.text("''"), nullable=False),
    )
