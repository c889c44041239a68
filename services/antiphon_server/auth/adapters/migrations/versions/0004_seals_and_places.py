"""Seals of security events, and the places that accounts and keys were used from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the table."""
    op.add_column(
        "auth_security_events",
        sa.Column("seal", sa.LargeBinary(32), nullable=False, server_default=""),
    )
    op.create_table(
        "auth_places",
        sa.Column("subject", sa.String(128), primary_key=True),
        sa.Column("address", sa.String(64), primary_key=True),
        sa.Column("last_time", sa.BigInteger, nullable=False),
    )
    op.create_index("auth_places_by_time", "auth_places", ["subject", "last_time"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("auth_places")
    op.drop_column("auth_security_events", "seal")
