"""Changes of accounts in a database, with the sessions that they end."""

from collections.abc import Callable
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, select, true, update

from antiphon_server.auth.adapters.account_tables import users
from antiphon_server.auth.adapters.sql.key_rows import remove_others
from antiphon_server.auth.adapters.sql.sessions import end_others
from antiphon_server.auth.adapters.sql.user_rows import locked_user
from antiphon_server.auth.model import User
from antiphon_server.auth.model.user_changes import UserChange, ends_sessions
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason

# Locked in one order: of two operators who take each other's rights one comes second.
_GOVERNING = (
    select(users.c.user_id, users.c.disabled)
    .where(users.c.operator == true())
    .order_by(users.c.user_id)
    .with_for_update()
)
_CHANGING = [column.name for column in users.c if column.name != "user_id"]
_CHANGE = (
    update(users)
    .where(users.c.user_id == bindparam("which"))
    .values({name: bindparam(name) for name in _CHANGING})
)


def change_user(
    connection: Connection,
    user_id: UserId,
    rule: Callable[[User], User],
    now: int,
    kept: SessionId | None,
    *,
    api_keys: bool,
) -> UserChange | None:
    """See :meth:`UserStore.change`."""
    governing = [row.user_id for row in connection.execute(_GOVERNING) if not row.disabled]
    before = locked_user(connection, user_id)
    if before is None:
        return None
    after = rule(before)
    if before.governs and not after.governs and governing == [user_id]:
        raise DomainError(Reason.LAST_OPERATOR)
    if after != before:
        row = asdict(after)
        connection.execute(_CHANGE, {"which": row.pop("user_id"), **row})
    if not ends_sessions(before, after):
        return UserChange(before, after)
    keys = remove_others(connection, user_id, kept) if api_keys else ()
    ended = end_others(connection, user_id, kept, now)
    return UserChange(before, after, tuple(ended), tuple(keys))
