"""The ledger's first table."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "integration_calls",
        sa.Column("call_id", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("workspace_id", sa.String(80), nullable=False),
        sa.Column("conversation_id", sa.String(80), nullable=False),
        sa.Column("turn_id", sa.String(80), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.SmallInteger),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("currency", sa.String(3)),
        sa.Column("cost_micros", sa.BigInteger),
        sa.Column("error_reason", sa.String(64), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "integration_calls_by_time",
        "integration_calls",
        ["workspace_id", "start_us", "call_id"],
    )
    op.create_index(
        "integration_calls_open",
        "integration_calls",
        ["owner"],
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    )
