"""What could not be told to log or trail, and holds up nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create its table."""
    place = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "context_outbox_set_aside",
        sa.Column("place", place, primary_key=True, autoincrement=True),
        sa.Column("outbox", sa.String(80), nullable=False),
        sa.Column("entry_id", sa.String(80), nullable=False, unique=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("why", sa.String(64), nullable=False),
        sa.Column("set_aside_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop it; what it holds is told by nobody then."""
    op.drop_table("context_outbox_set_aside")
