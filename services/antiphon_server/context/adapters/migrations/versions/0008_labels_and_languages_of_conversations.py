"""Labels and languages of conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "context_conversations", sa.Column("labels", sa.Text(), server_default="{}", nullable=False)
    )
    op.add_column(
        "context_conversations",
        sa.Column("language", sa.String(length=64), server_default="", nullable=False),
    )
