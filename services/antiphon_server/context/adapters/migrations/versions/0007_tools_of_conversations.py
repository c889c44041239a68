"""Tools of conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "context_conversations", sa.Column("tools", sa.Text(), server_default="[]", nullable=False)
    )
