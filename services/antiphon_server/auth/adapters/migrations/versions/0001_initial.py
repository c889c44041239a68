"""The first tables of identity."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "auth_users",
        sa.Column("user_id", sa.String(80), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("display_name", sa.String(128), nullable=False),
        sa.Column("operator", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=True),
        sa.Column("create_time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "auth_sessions",
        sa.Column("session_id", sa.String(80), primary_key=True),
        sa.Column("user_id", sa.String(80), nullable=False),
        sa.Column("device", sa.String(128), nullable=False),
        sa.Column("api_key_id", sa.String(80), nullable=True),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("last_use_time", sa.BigInteger, nullable=False),
        sa.Column("expire_time", sa.BigInteger, nullable=False),
        sa.Column("final_expire_time", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("rotate_time", sa.BigInteger, nullable=False),
        sa.Column("end_time", sa.BigInteger, nullable=True),
        sa.Column("announced", sa.Boolean, nullable=False),
    )
    op.create_index(
        "auth_sessions_by_user", "auth_sessions", ["user_id", "create_time", "session_id"]
    )
    op.create_index("auth_sessions_by_key", "auth_sessions", ["api_key_id"])
    op.create_index("auth_sessions_by_announced", "auth_sessions", ["announced"])
    op.create_table(
        "auth_api_keys",
        sa.Column("key_id", sa.String(80), primary_key=True),
        sa.Column("user_id", sa.String(80), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("expire_time", sa.BigInteger, nullable=True),
        sa.Column("last_use_time", sa.BigInteger, nullable=True),
    )
    op.create_index("auth_api_keys_by_user", "auth_api_keys", ["user_id", "create_time", "key_id"])
    op.create_table(
        "auth_signing_keys",
        sa.Column("kid", sa.String(64), primary_key=True),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_private_key", sa.LargeBinary, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("retire_time", sa.BigInteger, nullable=True),
    )
    op.create_table(
        "auth_attempts",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("guesses", sa.Integer, nullable=False),
        sa.Column("window_end", sa.BigInteger, nullable=False),
    )
    op.create_index("auth_attempts_by_end", "auth_attempts", ["window_end"])
    op.create_table(
        "auth_requests",
        sa.Column("principal", sa.String(128), primary_key=True),
        sa.Column("request_id", sa.String(64), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("response", sa.LargeBinary, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
    )
    op.create_index("auth_requests_by_time", "auth_requests", ["create_time"])


def downgrade() -> None:
    """Drop the tables."""
    for table in ("requests", "attempts", "signing_keys", "api_keys", "sessions", "users"):
        op.drop_table(f"auth_{table}")
