"""What an account is for, whether it is disabled, and how many passwords it had."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; whoever is there is a person, and may sign in."""
    for column in (
        sa.Column("kind", sa.Integer, nullable=False, server_default="1"),
        sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("password_version", sa.Integer, nullable=False, server_default="0"),
    ):
        op.add_column("auth_users", column)
    op.create_index(
        "auth_users_by_operator",
        "auth_users",
        ["user_id"],
        sqlite_where=sa.text("operator"),
        postgresql_where=sa.text("operator"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_index("auth_users_by_operator", "auth_users")
    for column in ("password_version", "disabled", "kind"):
        op.drop_column("auth_users", column)
