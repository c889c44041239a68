"""What providers say of their failures."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "integration_calls",
        sa.Column("provider_status", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "integration_calls",
        sa.Column(
            "provider_message", sa.String(length=500), server_default=sa.text("''"), nullable=False
        ),
    )
