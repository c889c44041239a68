"""Which server has which conversation's lane, where several share the database."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "dispatcher_lanes",
        sa.Column("conversation_id", sa.String(80), primary_key=True),
        sa.Column("node", sa.String(128), nullable=False),
    )
    op.create_index("dispatcher_lanes_by_node", "dispatcher_lanes", ["node"])
