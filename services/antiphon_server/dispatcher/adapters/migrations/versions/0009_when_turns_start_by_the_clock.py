"""When turns start by the clock."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "dispatcher_schedule_runs",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("schedule_id", sa.String(length=80), nullable=False),
        sa.Column("due_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_us", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("turn_id", sa.String(length=80), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "schedule_id", "due_us"),
    )
    op.create_table(
        "dispatcher_schedules",
        sa.Column("conversation_id", sa.String(length=80), nullable=False),
        sa.Column("schedule_id", sa.String(length=80), nullable=False),
        sa.Column("workspace_id", sa.String(length=80), nullable=False),
        sa.Column("creator", sa.String(length=128), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("life", sa.String(length=80), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=True),
        sa.Column("cron", sa.String(length=256), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("missed", sa.SmallInteger(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("api_keys", sa.Text(), nullable=False),
        sa.Column("etag", sa.String(length=80), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=True),
        sa.Column("last_us", sa.BigInteger(), nullable=True),
        sa.Column("last_turn_id", sa.String(length=80), nullable=False),
        sa.Column("last_error", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "schedule_id"),
    )
    op.create_index(
        "dispatcher_schedules_creator", "dispatcher_schedules", ["creator"], unique=False
    )
    op.create_index(
        "dispatcher_schedules_due",
        "dispatcher_schedules",
        ["next_us", "conversation_id", "schedule_id"],
        unique=False,
    )
    op.create_index(
        "dispatcher_schedules_workspace", "dispatcher_schedules", ["workspace_id"], unique=False
    )
