"""Events that tell of conversations are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_index(
        "events_log_conversations",
        "events_log",
        ["scope_id"],
        unique=False,
        sqlite_where=sa.text("kind IN (20, 21, 22, 27)"),
        postgresql_where=sa.text("kind IN (20, 21, 22, 27)"),
    )
