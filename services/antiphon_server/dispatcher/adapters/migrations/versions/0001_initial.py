"""The dispatcher's first table."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "dispatcher_turns",
        sa.Column("turn_id", sa.String(80), primary_key=True),
        sa.Column("conversation_id", sa.String(80), primary_key=True),
        sa.Column("creator", sa.String(128), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("workspace_id", sa.String(80), nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("at_once", sa.Boolean, nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger, nullable=False),
        sa.Column("has_reply", sa.Boolean, nullable=False),
        sa.Column("order_json", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("outcome_json", sa.LargeBinary, nullable=False),
        sa.Column("node", sa.String(128), nullable=False),
        sa.Column("lease_until_us", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "dispatcher_turns_listed",
        "dispatcher_turns",
        ["conversation_id", "created_us", "turn_id"],
    )
    op.create_index(
        "dispatcher_turns_open",
        "dispatcher_turns",
        ["lease_until_us"],
        sqlite_where=sa.text("state < 4"),
        postgresql_where=sa.text("state < 4"),
    )
