"""Devices that ask to be signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "auth_device_logins",
        sa.Column("device_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("user_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("device", sa.String(128), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("expire_time", sa.BigInteger, nullable=False),
        sa.Column("interval", sa.BigInteger, nullable=False),
        sa.Column("ask_time", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("user_id", sa.String(80), nullable=True),
        sa.Column("password_version", sa.Integer, nullable=True),
    )
    op.create_index("auth_device_logins_by_end", "auth_device_logins", ["expire_time"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("auth_device_logins")
