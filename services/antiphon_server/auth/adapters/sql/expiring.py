"""What is kept in a database for a time."""

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Delete,
    Integer,
    Table,
    bindparam,
    delete,
    select,
)

from antiphon_server.auth.adapters.account_tables import (
    api_keys,
    attempts,
    requests,
    sessions,
    signing_keys,
)
from antiphon_server.auth.adapters.device_login_tables import device_logins
from antiphon_server.auth.adapters.ending_tables import endings
from antiphon_server.auth.adapters.password_reset_tables import password_resets
from antiphon_server.auth.adapters.sql.rows import over
from antiphon_server.auth.model import DAY, KEPT_AFTER_END
from antiphon_server.auth.model.endings import KEPT_ENDINGS
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.unheld import unheld

_NOW = bindparam("now", type_=BigInteger)
_LIMIT = bindparam("page_limit", type_=Integer)


def _some(table: Table, unneeded: ColumnElement[bool]) -> Delete:
    """Delete so many rows at most: a long transaction would keep everybody else waiting.

    Nor does it wait: what somebody else holds is the next one's.
    """
    return delete(table).where(unheld(select(*table.primary_key).where(unneeded).limit(_LIMIT)))


_FORGET = (
    _some(sessions, over(_NOW - KEPT_AFTER_END)),
    _some(endings, endings.c.end_time <= _NOW - KEPT_ENDINGS),
    _some(requests, requests.c.create_time <= _NOW - DAY),
    _some(attempts, attempts.c.window_end <= _NOW),
    _some(api_keys, api_keys.c.expire_time <= _NOW - KEPT_AFTER_END),
    _some(signing_keys, signing_keys.c.retire_time <= _NOW),
    _some(password_resets, password_resets.c.expire_time <= _NOW),
    _some(device_logins, device_logins.c.expire_time <= _NOW - DAY),
)


class SqlExpiring:
    """An :class:`~antiphon_server.auth.ports.expiring.Expiring` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, now: int, limit: int) -> int:
        values = {"now": now, "page_limit": limit}
        return await self._database.write(
            lambda connection: sum(connection.execute(each, values).rowcount for each in _FORGET)
        )
