"""Sessions that ran out are ended, devices know their sessions, and no database changes events."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# What ran out before the newest event was looked at, and told of, by the versions before.
END_IN_TIME = sa.text(
    "UPDATE auth_sessions SET end_time = expire_time WHERE end_time IS NULL AND expire_time <= "
    "(SELECT COALESCE(MAX(create_time), :now) FROM auth_security_events)"
)
REFUSE = (
    "CREATE OR REPLACE FUNCTION auth_security_events_refuse() RETURNS trigger AS "
    "$$ BEGIN RAISE EXCEPTION 'security events are only ever added'; END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER auth_security_events_append_only "
    "BEFORE UPDATE OR DELETE OR TRUNCATE ON auth_security_events "
    "FOR EACH STATEMENT EXECUTE FUNCTION auth_security_events_refuse()",
)


def upgrade() -> None:
    """End them, and add the column, the index and the trigger."""
    op.get_bind().execute(END_IN_TIME, {"now": int(time.time() * 1e6)})
    unended = sa.text("end_time IS NULL")
    op.create_index(
        "auth_sessions_unended",
        "auth_sessions",
        ["expire_time"],
        sqlite_where=unended,
        postgresql_where=unended,
    )
    op.add_column("auth_device_logins", sa.Column("opened", sa.String(80), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        for statement in REFUSE:
            op.execute(statement)


def downgrade() -> None:
    """Take them away again; what has ended stays so."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER auth_security_events_append_only ON auth_security_events")
        op.execute("DROP FUNCTION auth_security_events_refuse()")
    op.drop_column("auth_device_logins", "opened")
    op.drop_index("auth_sessions_unended", "auth_sessions")
