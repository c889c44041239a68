"""Logins of devices in a database."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from antiphon_server.auth.adapters.device_login_tables import device_logins
from antiphon_server.auth.adapters.sql.counters import count_on
from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.adapters.sql.security_events import record
from antiphon_server.auth.model import GRACE
from antiphon_server.auth.model.device_logins import (
    DeviceLogin,
    DeviceLoginState,
    claimed,
    crowding,
)
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.storage.database import Database

T = TypeVar("T")

COUNTER = "device_logins"
_ADD = insert(device_logins)
_NOW = bindparam("now", type_=BigInteger)
# As :func:`~antiphon_server.auth.model.device_logins.over`.
_FORGET = delete(device_logins).where(
    device_logins.c.expire_time <= _NOW,
    or_(device_logins.c.opened.is_(None), device_logins.c.ask_time < _NOW - GRACE),
)
_COUNT = select(
    func.count(),
    func.count(case((device_logins.c.address == bindparam("place"), 1))),
).select_from(device_logins)
_ALL = select_all(device_logins)
_REMOVE = delete(device_logins).where(device_logins.c.device_hash == bindparam("device_hash"))
_BY_USER_CODE = select_all(device_logins).where(device_logins.c.user_hash == bindparam("user_hash"))
_LOCKED = (
    select_all(device_logins)
    .where(device_logins.c.device_hash == bindparam("device_hash"))
    .with_for_update()
)
_CHANGING = [column.name for column in device_logins.c if column.name != "device_hash"]
_CHANGE = (
    update(device_logins)
    .where(device_logins.c.device_hash == bindparam("which"))
    .values({name: bindparam(name) for name in _CHANGING})
)


class _NoRoomError(Exception):
    """Undoes the transaction: whoever is refused makes the disk write nothing."""


class SqlDeviceLogins:
    """A :class:`~antiphon_server.auth.ports.device_logins.DeviceLoginStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, login: DeviceLogin, most: int, most_of_address: int) -> bool:
        def work(connection: Connection) -> bool:
            count_on(connection, COUNTER, 1)  # two at once must count each other
            connection.execute(_FORGET, {"now": login.create_time})
            waiting, of_address = connection.execute(_COUNT, {"place": login.address}).one()
            if of_address >= most_of_address:
                raise _NoRoomError
            if waiting >= most:
                _make_room(connection)
            connection.execute(_ADD, asdict(login))
            return True

        try:
            return await self._database.write(work)
        except _NoRoomError:
            return False

    async def find(self, user_hash: bytes) -> DeviceLogin | None:
        def work(connection: Connection) -> DeviceLogin | None:
            row = connection.execute(_BY_USER_CODE, {"user_hash": user_hash}).one_or_none()
            return _login(row) if row else None

        return await self._database.read(work)

    async def change(
        self,
        device_hash: bytes,
        rule: Callable[[DeviceLogin], tuple[DeviceLogin, T]],
        records: Records[T],
    ) -> T | None:
        def work(connection: Connection) -> T | None:
            before = _locked(connection, device_hash)
            if before is None:
                return None
            after, outcome = rule(before)
            if after != before:
                _store(connection, after)
            return record(connection, records, outcome)

        return await self._database.write(work)


def claim(connection: Connection, device_hash: bytes, session_id: SessionId, now: int) -> bool:
    """Give the device that session; False if it is to have none."""
    login = _locked(connection, device_hash)
    after = login and claimed(login, session_id, now)
    if after:
        _store(connection, after)
    return after is not None


def _locked(connection: Connection, device_hash: bytes) -> DeviceLogin | None:
    row = connection.execute(_LOCKED, {"device_hash": device_hash}).one_or_none()
    return _login(row) if row else None


def _store(connection: Connection, login: DeviceLogin) -> None:
    values = asdict(login)
    connection.execute(_CHANGE, {"which": values.pop("device_hash"), **values})


def _make_room(connection: Connection) -> None:
    forgotten = crowding([_login(row) for row in connection.execute(_ALL)])
    if forgotten is None:
        raise _NoRoomError
    connection.execute(_REMOVE, {"device_hash": forgotten.device_hash})


def _login(row: Sequence[Any]) -> DeviceLogin:
    login = DeviceLogin(*row)
    return replace(login, state=DeviceLoginState(login.state))
