"""How and from where one signed in, what a credential is limited to, and the order of endings."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the tables."""
    for table, name, kind, default in (
        ("auth_sessions", "method", sa.Integer(), "0"),
        ("auth_sessions", "provider", sa.String(64), ""),
        ("auth_sessions", "first_address", sa.String(64), ""),
        ("auth_sessions", "last_address", sa.String(64), ""),
        ("auth_api_keys", "last_address", sa.String(64), ""),
    ):
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))
    for table in ("auth_sessions", "auth_api_keys"):
        op.add_column(table, sa.Column("scopes", sa.String(128), nullable=True))
    op.create_index("auth_sessions_by_expiry", "auth_sessions", ["expire_time"])
    op.create_index("auth_sessions_by_end", "auth_sessions", ["end_time"])
    op.create_table(
        "auth_endings",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("session_id", sa.String(80), nullable=False),
        sa.Column("end_time", sa.BigInteger, nullable=False),
    )
    op.create_index("auth_endings_by_time", "auth_endings", ["end_time"])
    op.create_table(
        "auth_counters",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("auth_counters")
    op.drop_table("auth_endings")
    op.drop_index("auth_sessions_by_end", "auth_sessions")
    op.drop_index("auth_sessions_by_expiry", "auth_sessions")
    for column in ("scopes", "last_address"):
        op.drop_column("auth_api_keys", column)
    for column in ("scopes", "last_address", "first_address", "provider", "method"):
        op.drop_column("auth_sessions", column)
