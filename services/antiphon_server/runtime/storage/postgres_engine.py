"""Connections to Postgres, and what their errors mean."""

from enum import Enum, auto
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from antiphon_server.runtime.storage.postgres_url import check_postgres_url

CONNECT_S = 5.0
STATEMENTS = 500  # prepared ones that each connection keeps
IDLE_SHARE = 0.5
"""Of the time that others wait for a lock: so long a transaction may stand still."""
_NAME = "antiphon"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_CONFLICTS = {"40001", "40P01"}  # serialization failure, deadlock
_LOCK_TIMEOUT = "55P03"
_BUSY = {_LOCK_TIMEOUT, "53300"}  # a lock, or a place for a connection, was not to be had in time
_AWAY_CLASSES = {"08", "28", "3D", "53", "57", "58", "XX"}
_READ_ONLY = "25006"  # a stand-by: another server is the first one now


class Fault(Enum):
    """Why a transaction failed that could do nothing for it."""

    CONFLICT = auto()
    BUSY = auto()
    AWAY = auto()
    UNKNOWN = auto()


class CommitLost(Exception):
    """The connection was lost during a commit: it may have been stored, or not."""


def postgres_engine(url: str, pool: int, deadline_s: float, lock_s: float) -> AsyncEngine:
    """A pool of connections that are made when they are needed.

    Raises WrongSetting for what is no URL of Postgres, or without the packages for it.
    """
    check_postgres_url(url)

    async def connect() -> Any:
        return await connected(url, deadline_s, lock_s)

    engine = create_async_engine(
        f"postgresql+asyncpg://?prepared_statement_cache_size={STATEMENTS}",
        async_creator=connect,
        pool_size=pool,
        max_overflow=0,
        pool_use_lifo=True,  # few connections that know the statements, not all of them in turn
    )
    event.listen(engine.sync_engine, "checkout", _refuse_dead)
    return engine


async def connected(url: str, deadline_s: float, lock_s: float) -> Any:
    """A connection whose statements take no longer than ``deadline_s``, and wait ``lock_s``."""
    import asyncpg

    return await asyncpg.connect(
        url,
        timeout=min(CONNECT_S, deadline_s),
        server_settings={
            "application_name": _NAME,
            "statement_timeout": f"{deadline_s * 1000:.0f}",
            "lock_timeout": f"{lock_s * 1000:.0f}",
            # A process that stands still must lose its locks before others give up.
            "idle_in_transaction_session_timeout": f"{lock_s * IDLE_SHARE * 1000:.0f}",
            "jit": "off",  # it costs short statements more than it gives
        },
    )


# While a statement is being prepared a session is not idle to Postgres, whose limits of time end
# none that waits for its client then (16.14: `statement_timeout` does not either).
_STANDING_STILL = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user"
    " AND application_name = :name AND state = 'active' AND wait_event = 'ClientRead'"
    " AND state_change < clock_timestamp() - make_interval(secs => :idle_s)"
)


def end_standing_still(connection: Connection, idle_s: float) -> int:
    """End sessions whose process stopped in the middle of a statement; gives how many."""
    found = connection.execute(_STANDING_STILL, {"name": _NAME, "idle_s": idle_s})
    return int(found.scalar_one())


def _refuse_dead(_connection: Any, record: Any, _proxy: Any) -> None:
    """Make the pool replace a connection that the server has closed meanwhile."""
    if record.driver_connection.is_closed():
        raise DisconnectionError


def fault_of(error: BaseException) -> Fault | None:
    """What the server's trouble is; None for an error of the work's own."""
    if isinstance(error, OSError):  # TimeoutError too
        return Fault.AWAY
    if isinstance(error, CommitLost):
        return Fault.UNKNOWN
    found = _original(error)
    code = sqlstate_of(error)
    if code in _CONFLICTS or type(found).__name__ == "InvalidCachedStatementError":
        return Fault.CONFLICT  # or a table was changed: its statements are prepared anew
    if code in _BUSY:
        return Fault.BUSY
    if code[:2] in _AWAY_CLASSES or code == _READ_ONLY:
        return Fault.AWAY
    # The driver's own: the connection was closed, or is in no state to be used.
    return Fault.AWAY if type(found).__name__ in _OF_THE_DRIVER else None


_OF_THE_DRIVER = {"InterfaceError", "InternalClientError", "ConnectionDoesNotExistError"}


def is_lock_timeout(error: BaseException) -> bool:
    """Whether a lock was not to be had in time."""
    return sqlstate_of(error) == _LOCK_TIMEOUT


def sqlstate_of(error: BaseException | None) -> str:
    """What Postgres calls the error; "" if it is not from there."""
    return getattr(_original(error), "sqlstate", None) or "" if error else ""


def words_of(error: BaseException) -> str:
    """What the driver said, without the statement and its values."""
    return str(_original(error)) or type(error).__name__


def _original(error: BaseException) -> BaseException:
    return getattr(error, "orig", None) or error
