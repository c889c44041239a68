"""The table of devices that ask to be signed in."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from antiphon_server.auth.adapters.metadata import metadata

device_logins = Table(
    "auth_device_logins",
    metadata,
    Column("device_hash", LargeBinary(32), primary_key=True),
    Column("user_hash", LargeBinary(32), nullable=False, unique=True),
    Column("device", String(128), nullable=False),
    Column("address", String(64), nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Column("expire_time", BigInteger, nullable=False),
    Column("interval", BigInteger, nullable=False),
    Column("ask_time", BigInteger, nullable=False),
    Column("state", Integer, nullable=False),
    Column("user_id", String(80), nullable=True),
    Column("password_version", Integer, nullable=True),
    Column("session_id", String(80), nullable=True),
    Column("opened", String(80), nullable=True),
    Index("auth_device_logins_by_end", "expire_time"),
)
