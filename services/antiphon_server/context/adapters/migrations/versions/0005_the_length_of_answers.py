"""The length of answers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "context_conversations",
        sa.Column("max_output_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
