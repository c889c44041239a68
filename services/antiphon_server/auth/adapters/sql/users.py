"""Accounts in a database."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.adapters.tables import requests, users
from antiphon_server.auth.model import DAY, Request, User, UserKind
from antiphon_server.runtime.database import Database
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.principal import UserId

_BY_ID = select_all(users).where(users.c.user_id == bindparam("user_id"))
_BY_NAME = select_all(users).where(users.c.name == bindparam("name"))
_ADD = insert(users)
_REPLACE_HASH = (
    update(users)
    .where(users.c.user_id == bindparam("whose"), users.c.password_hash == bindparam("old"))
    .values(password_hash=bindparam("new"))
)
_REQUEST = select(requests.c.digest, requests.c.response, requests.c.create_time).where(
    requests.c.principal == bindparam("principal"),
    requests.c.request_id == bindparam("request_id"),
)
_ADD_REQUEST = insert(requests)
_FORGET_REQUESTS = delete(requests).where(requests.c.create_time <= bindparam("before"))


class SqlUsers:
    """A :class:`~antiphon_server.auth.ports.UserStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: User, request: Request | None) -> User:
        """See :meth:`UserStore.add`."""
        return await self._database.write(lambda connection: _add(connection, user, request))

    async def made_by(self, request: Request) -> User | None:
        """See :meth:`UserStore.made_by`."""
        return await self._database.read(lambda connection: _made_by(connection, request))

    async def get(self, user_id: UserId) -> User | None:
        """See :meth:`UserStore.get`."""
        return await self._database.read(lambda connection: _get(connection, user_id))

    async def find(self, name: str) -> User | None:
        """See :meth:`UserStore.find`."""

        def work(connection: Connection) -> User | None:
            row = connection.execute(_BY_NAME, {"name": name}).one_or_none()
            return user_of(row) if row else None

        return await self._database.read(work)

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        """See :meth:`UserStore.replace_password_hash`."""
        values = {"whose": user_id, "old": old, "new": new}
        await self._database.write(lambda connection: connection.execute(_REPLACE_HASH, values))


def user_of(row: Sequence[Any]) -> User:
    """The account in a row of the table."""
    user = User(*row)
    return replace(user, kind=UserKind(user.kind))


def _get(connection: Connection, user_id: str) -> User | None:
    row = connection.execute(_BY_ID, {"user_id": user_id}).one_or_none()
    return user_of(row) if row else None


def _add(connection: Connection, user: User, request: Request | None) -> User:
    earlier = request and _made_by(connection, request)
    if earlier:
        return earlier
    try:
        connection.execute(_ADD, asdict(user))
        if request:
            connection.execute(_FORGET_REQUESTS, {"before": request.create_time - DAY})
            response = user.user_id.encode()
            connection.execute(_ADD_REQUEST, asdict(request) | {"response": response})
    except IntegrityError as error:
        raise DomainError(Reason.ALREADY_EXISTS, resource=f"users/{user.name}") from error
    return user


def _made_by(connection: Connection, request: Request) -> User | None:
    key = {"principal": request.principal, "request_id": request.request_id}
    row = connection.execute(_REQUEST, key).one_or_none()
    if row is None or row.create_time <= request.create_time - DAY:
        return None
    if row.digest != request.digest:
        raise DomainError(Reason.REQUEST_ID_REUSED, request_id=request.request_id)
    return _get(connection, row.response.decode())
