"""Which API key a call was made with."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "integration_calls",
        sa.Column("api_key_id", sa.String(length=80), server_default=sa.text("''"), nullable=False),
    )
