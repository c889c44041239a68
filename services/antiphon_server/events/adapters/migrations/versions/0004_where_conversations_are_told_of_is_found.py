"""Where conversations are told of is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "events_told",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("last_offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["scope_id"],
            ["events_scopes.id"],
        ),
        sa.PrimaryKeyConstraint("conversation_id", "scope_id", "last_offset"),
        sqlite_with_rowid=False,
    )
    op.drop_index(
        op.f("events_log_conversations"),
        table_name="events_log",
        sqlite_where=sa.text("kind IN (20, 21, 22, 27)"),
    )
    op.add_column(
        "events_scopes",
        sa.Column("noted_offset", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
