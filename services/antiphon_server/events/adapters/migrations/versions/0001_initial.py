"""The log's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "events_scopes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("scope", sa.String(128), nullable=False, unique=True),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        sa.Column("earliest_offset", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "events_log",
        sa.Column("scope_id", sa.Integer, sa.ForeignKey("events_scopes.id"), primary_key=True),
        sa.Column("last_offset", sa.BigInteger, primary_key=True),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("turn_id", sa.String(80), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "events_log_deltas",
        "events_log",
        ["scope_id", "turn_id"],
        sqlite_where=sa.text("kind = 16"),
        postgresql_where=sa.text("kind = 16"),
    )
    op.create_table(
        "events_requests",
        sa.Column("scope_id", sa.Integer, sa.ForeignKey("events_scopes.id"), primary_key=True),
        sa.Column("request_id", sa.String(128), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_events_requests_time_us", "events_requests", ["time_us"])
    op.create_table(
        "events_fences",
        sa.Column("scope_id", sa.Integer, sa.ForeignKey("events_scopes.id"), primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_events_fences_time_us", "events_fences", ["time_us"])
