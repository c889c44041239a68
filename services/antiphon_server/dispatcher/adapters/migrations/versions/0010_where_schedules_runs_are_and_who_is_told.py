"""Where schedules' runs are, and who is told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "dispatcher_schedule_trail_outbox",
        sa.Column(
            "place",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
        sa.UniqueConstraint("entry_id"),
    )
    op.add_column(
        "dispatcher_schedule_runs",
        sa.Column("run_conversation_id", sa.String(length=80), server_default="", nullable=False),
    )
    op.add_column(
        "dispatcher_schedule_runs",
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "dispatcher_schedule_runs", sa.Column("untold_us", sa.BigInteger(), nullable=True)
    )
    op.create_index(
        "dispatcher_schedule_runs_untold", "dispatcher_schedule_runs", ["untold_us"], unique=False
    )
    op.add_column(
        "dispatcher_schedules",
        sa.Column("last_conversation_id", sa.String(length=80), server_default="", nullable=False),
    )
