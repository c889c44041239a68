"""Security events, which are only ever added."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "auth_security_events"
INDEXES = {
    "user": ["user_id", "sequence"],
    "actor": ["actor", "sequence"],
    "kind": ["kind", "sequence"],
    "time": ["create_time"],
}


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        TABLE,
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("user_id", sa.String(80), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
    )
    for name, columns in INDEXES.items():
        op.create_index(f"{TABLE}_by_{name}", TABLE, columns)
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {TABLE}_no_{what.lower()} BEFORE {what} ON {TABLE} "
                "BEGIN SELECT RAISE(ABORT, 'security events are only ever added'); END"
            )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table(TABLE)
