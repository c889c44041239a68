"""A turn's place in the log, and whether it is to be stopped.

For a while the first revision made these columns too, so they may be there. A turn that
has no place yet gets it by being posted again: the log knows the request.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLE = "dispatcher_turns"


def upgrade() -> None:
    """Add the columns that are missing."""
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(_TABLE)}
    for column in (
        sa.Column("cursor", sa.String(256), nullable=False, server_default=""),
        sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    ):
        if column.name not in there:
            op.add_column(_TABLE, column)
