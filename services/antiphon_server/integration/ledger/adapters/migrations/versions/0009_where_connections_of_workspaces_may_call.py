"""Where connections of workspaces may call."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "integration_egress_rules",
        sa.Column("workspace_id", sa.String(length=80), nullable=False),
        sa.Column("hosts", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id"),
    )
