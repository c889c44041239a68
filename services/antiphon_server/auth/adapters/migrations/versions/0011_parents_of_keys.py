"""Which API key an API key was made with, and whether a password reset revokes keys."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("auth_api_keys", sa.Column("parent_key_id", sa.String(80), nullable=True))
    op.add_column(
        "auth_password_resets",
        sa.Column("api_keys", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("auth_password_resets", "api_keys")
    op.drop_column("auth_api_keys", "parent_key_id")
