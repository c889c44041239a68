"""A turn's deltas are found by the turn, however long the conversation is.

An index that begins with the scope is passed over by SQLite for the primary key, which
begins with it too: it then reads the whole scope.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the index."""
    op.drop_index("events_log_deltas", "events_log")
    op.create_index(
        "events_log_deltas",
        "events_log",
        ["turn_id"],
        sqlite_where=sa.text("kind = 16"),
        postgresql_where=sa.text("kind = 16"),
    )
