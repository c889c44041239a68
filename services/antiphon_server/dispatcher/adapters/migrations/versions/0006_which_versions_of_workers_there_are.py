"""Which versions of workers there are."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


_AT_WORKERS = sa.text("state < 4 AND worker_deployment <> ''")


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "dispatcher_worker_rollouts",
        sa.Column("parent", sa.String(length=80), nullable=False),
        sa.Column("deployment", sa.String(length=64), nullable=False),
        sa.Column("current_version", sa.String(length=64), nullable=False),
        sa.Column("ramping_version", sa.String(length=64), nullable=False),
        sa.Column("ramping_percent", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("parent", "deployment"),
    )
    op.create_table(
        "dispatcher_worker_version_changes",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "dispatcher_worker_versions",
        sa.Column("parent", sa.String(length=80), nullable=False),
        sa.Column("deployment", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("parent", "deployment", "version"),
    )
    op.create_index(
        "dispatcher_worker_versions_seen", "dispatcher_worker_versions", ["seen_us"], unique=False
    )
    op.add_column(
        "dispatcher_turns",
        sa.Column(
            "worker_parent", sa.String(length=80), server_default=sa.text("''"), nullable=False
        ),
    )
    op.add_column(
        "dispatcher_turns",
        sa.Column(
            "worker_deployment", sa.String(length=64), server_default=sa.text("''"), nullable=False
        ),
    )
    op.add_column(
        "dispatcher_turns",
        sa.Column(
            "worker_version", sa.String(length=64), server_default=sa.text("''"), nullable=False
        ),
    )
    op.create_index(
        "dispatcher_turns_of_version",
        "dispatcher_turns",
        ["worker_parent", "worker_deployment", "worker_version"],
        unique=False,
        sqlite_where=_AT_WORKERS,
        postgresql_where=_AT_WORKERS,
    )
