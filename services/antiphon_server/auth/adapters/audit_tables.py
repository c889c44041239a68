"""The table of security events, whose rows are never changed or removed, and that of places."""

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    event,
)

from antiphon_server.auth.adapters.metadata import metadata

security_events = Table(
    "auth_security_events",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Integer, nullable=False),
    Column("user_id", String(80), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("previous_hash", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("seal", LargeBinary(32), nullable=False, server_default=""),
    Index("auth_security_events_by_user", "user_id", "sequence"),
    Index("auth_security_events_by_actor", "actor", "sequence"),
    Index("auth_security_events_by_kind", "kind", "sequence"),
    Index("auth_security_events_by_time", "create_time"),
)

places = Table(
    "auth_places",
    metadata,
    Column("subject", String(128), primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("last_time", BigInteger, nullable=False),
    Index("auth_places_by_time", "subject", "last_time"),
)

APPEND_ONLY = tuple(
    f"CREATE TRIGGER auth_security_events_no_{what.lower()} BEFORE {what} ON auth_security_events "
    "BEGIN SELECT RAISE(ABORT, 'security events are only ever added'); END"
    for what in ("UPDATE", "DELETE")
)
APPEND_ONLY_POSTGRES = (
    "CREATE OR REPLACE FUNCTION auth_security_events_refuse() RETURNS trigger AS "
    "$$ BEGIN RAISE EXCEPTION 'security events are only ever added'; END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER auth_security_events_append_only "
    "BEFORE UPDATE OR DELETE OR TRUNCATE ON auth_security_events "
    "FOR EACH STATEMENT EXECUTE FUNCTION auth_security_events_refuse()",
)
# They stop mistakes; who may change the schema is stopped by nothing, and found out.
for dialect, statements in (("sqlite", APPEND_ONLY), ("postgresql", APPEND_ONLY_POSTGRES)):
    for statement in statements:
        refuse: Any = DDL(statement)  # type: ignore[no-untyped-call]
        event.listen(security_events, "after_create", refuse.execute_if(dialect=dialect))
