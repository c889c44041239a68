"""What the audit trail is still to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create its table."""
    place = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "context_audit_outbox",
        sa.Column("place", place, primary_key=True, autoincrement=True),
        sa.Column("entry_id", sa.String(80), nullable=False, unique=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drop it; what it holds is told by nobody then."""
    op.drop_table("context_audit_outbox")
