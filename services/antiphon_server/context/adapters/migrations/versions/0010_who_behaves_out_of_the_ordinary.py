"""Who behaves out of the ordinary."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "context_anomaly_trail_outbox",
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
    op.create_table(
        "context_detector_changes",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "context_detectors",
        sa.Column("parent", sa.String(length=80), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule_count", sa.SmallInteger(), nullable=False),
        sa.Column("rules", sa.LargeBinary(), nullable=False),
        sa.Column("creator", sa.String(length=128), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("comment", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("parent", "revision"),
    )
    op.create_table(
        "context_flags",
        sa.Column("flag_id", sa.String(length=80), nullable=False),
        sa.Column("parent", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("open_key", sa.String(length=320), nullable=False),
        sa.Column("effect", sa.SmallInteger(), nullable=False),
        sa.Column("effect_end_us", sa.BigInteger(), nullable=False),
        sa.Column("cleared_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("flag_id"),
        sa.UniqueConstraint("open_key"),
    )
    op.create_index(
        "context_flags_biting", "context_flags", ["effect", "effect_end_us"], unique=False
    )
    op.create_index(
        "context_flags_by_parent",
        "context_flags",
        ["parent", "changed_us", "flag_id"],
        unique=False,
    )
    op.create_index(
        "context_flags_by_subject",
        "context_flags",
        ["subject", "changed_us", "flag_id"],
        unique=False,
    )
    op.create_index("context_flags_cleared", "context_flags", ["cleared_us"], unique=False)
    op.create_index(
        "context_flags_newest", "context_flags", ["changed_us", "flag_id"], unique=False
    )
