"""Begun logins at identity providers are kept by who began them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop their table: they live for minutes."""
    op.drop_table("auth_login_flows")


def downgrade() -> None:
    """Make it anew, empty."""
    op.create_table(
        "auth_login_flows",
        sa.Column("login_id", sa.String(80), primary_key=True),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("redirect_uri", sa.String(1024), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("expire_time", sa.BigInteger, nullable=False),
    )
    op.create_index("auth_login_flows_by_end", "auth_login_flows", ["expire_time", "login_id"])
