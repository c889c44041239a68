"""The first table."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "notes_notes",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("text", sa.String(128), nullable=False),
    )
