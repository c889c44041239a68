"""API keys as rows."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, func, or_, select

from antiphon_server.auth.adapters.account_tables import api_keys, sessions
from antiphon_server.auth.model import KeyId
from antiphon_server.auth.model.revocations import others
from antiphon_server.runtime.access.principal import SessionId, UserId

_PARENTS = select(api_keys.c.key_id, api_keys.c.parent_key_id).where(
    api_keys.c.user_id == bindparam("user_id")
)
_OPENED_BY = select(sessions.c.api_key_id).where(sessions.c.session_id == bindparam("session_id"))
_REMOVE = delete(api_keys).where(api_keys.c.key_id.in_(bindparam("which", expanding=True)))
_WORKING = select(func.count()).where(
    api_keys.c.user_id == bindparam("user_id"),
    or_(api_keys.c.expire_time.is_(None), api_keys.c.expire_time > bindparam("now")),
)


def parents_of(connection: Connection, user_id: UserId) -> dict[KeyId, KeyId | None]:
    """Every key of the user, and the one that it was made with."""
    rows = connection.execute(_PARENTS, {"user_id": user_id})
    return {row.key_id: row.parent_key_id for row in rows}


def remove(connection: Connection, key_ids: Sequence[KeyId]) -> None:
    """Delete keys; their users are locked by this transaction."""
    connection.execute(_REMOVE, {"which": list(key_ids)})


def remove_others(connection: Connection, user_id: UserId, but: SessionId | None) -> list[KeyId]:
    """Delete the user's keys, but for the one of a session and those that it depends on.

    The user is locked by this transaction.
    """
    key_id = connection.execute(_OPENED_BY, {"session_id": but or ""}).scalar_one_or_none()
    found = others(key_id, parents_of(connection, user_id))
    remove(connection, found)
    return found


def count_working(connection: Connection, user_id: UserId, now: int) -> int:
    """How many keys of the user open sessions."""
    return int(connection.execute(_WORKING, {"user_id": user_id, "now": now}).scalar_one())
