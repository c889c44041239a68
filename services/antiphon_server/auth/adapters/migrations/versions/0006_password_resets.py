"""Leave to set a password once."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "auth_password_resets",
        sa.Column("user_id", sa.String(80), primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("password_version", sa.Integer, nullable=False),
        sa.Column("expire_time", sa.BigInteger, nullable=False),
    )
    op.create_index("auth_password_resets_by_end", "auth_password_resets", ["expire_time"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("auth_password_resets")
