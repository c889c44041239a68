"""Accounts at identity providers, and logins begun there."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "auth_identities",
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("issuer", sa.String(1024), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("user_id", sa.String(80), nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("last_use_time", sa.BigInteger, nullable=True),
    )
    op.create_index("auth_identities_by_user", "auth_identities", ["user_id", "create_time"])
    op.create_table(
        "auth_login_flows",
        sa.Column("login_id", sa.String(80), primary_key=True),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("redirect_uri", sa.String(1024), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("expire_time", sa.BigInteger, nullable=False),
    )
    op.create_index("auth_login_flows_by_end", "auth_login_flows", ["expire_time", "login_id"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("auth_login_flows")
    op.drop_table("auth_identities")
