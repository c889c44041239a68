"""In which session a device was let in."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("auth_device_logins", sa.Column("session_id", sa.String(80), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("auth_device_logins", "session_id")
