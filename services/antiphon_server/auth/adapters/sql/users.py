"""Accounts in a database."""

from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from antiphon_server.auth.adapters.account_tables import users
from antiphon_server.auth.adapters.sql.requests import remember
from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.adapters.sql.security_events import record
from antiphon_server.auth.adapters.sql.user_changes import change_user
from antiphon_server.auth.adapters.sql.user_rows import BY_ID, user_of
from antiphon_server.auth.model import User
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.model.user_changes import UserChange
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database

_BY_NAME = select_all(users).where(users.c.name == bindparam("name"))
_NAMES = select(users.c.user_id, users.c.display_name).where(
    users.c.user_id.in_(bindparam("user_ids", expanding=True))
)
_ADD = insert(users)
_REPLACE_HASH = (
    update(users)
    .where(users.c.user_id == bindparam("whose"), users.c.password_hash == bindparam("old"))
    .values(password_hash=bindparam("new"))
)


class SqlUsers:
    """A :class:`~antiphon_server.auth.ports.UserStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: User, answer: Answer | None, records: Records[User]) -> User:
        return await self._database.write(
            lambda connection: _add(connection, user, answer, records)
        )

    async def get(self, user_id: UserId) -> User | None:
        return await self._database.read(lambda connection: _get(connection, user_id))

    async def find(self, name: str) -> User | None:
        def work(connection: Connection) -> User | None:
            row = connection.execute(_BY_NAME, {"name": name}).one_or_none()
            return user_of(row) if row else None

        return await self._database.read(work)

    async def names_of(self, user_ids: Collection[UserId]) -> dict[UserId, str]:
        values = {"user_ids": list(user_ids)}
        return await self._database.read(
            lambda connection: {
                UserId(user_id): name for user_id, name in connection.execute(_NAMES, values)
            }
        )

    async def list_named(self, prefix: str, after: str, limit: int) -> list[User]:
        statement = _named(prefix)
        values = {"after": after, "page_limit": limit}
        return await self._database.read(
            lambda connection: [user_of(row) for row in connection.execute(statement, values)]
        )

    async def change(
        self,
        user_id: UserId,
        rule: Callable[[User], User],
        now: int,
        records: Records[UserChange],
        kept: SessionId | None = None,
        *,
        api_keys: bool = False,
    ) -> UserChange | None:
        def work(connection: Connection) -> UserChange | None:
            change = change_user(connection, user_id, rule, now, kept, api_keys=api_keys)
            return record(connection, records, change) if change else None

        return await self._database.write(work)

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        values = {"whose": user_id, "old": old, "new": new}
        await self._database.write(lambda connection: connection.execute(_REPLACE_HASH, values))


def _named(prefix: str) -> Select[Any]:
    """A page of users by name; the lower bound lets an index find where it begins."""
    found = users.c.name > bindparam("after")
    if prefix:
        begins = users.c.name.startswith(prefix, autoescape=True)
        found = and_(found, users.c.name >= prefix, begins)
    limit = bindparam("page_limit", type_=Integer)
    return select_all(users).where(found).order_by(users.c.name).limit(limit)


def _get(connection: Connection, user_id: str) -> User | None:
    row = connection.execute(BY_ID, {"user_id": user_id}).one_or_none()
    return user_of(row) if row else None


def _add(connection: Connection, user: User, answer: Answer | None, records: Records[User]) -> User:
    remember(connection, answer)
    try:
        connection.execute(_ADD, asdict(user))
    except IntegrityError as error:
        raise DomainError(Reason.ALREADY_EXISTS, resource=f"users/{user.name}") from error
    return record(connection, records, user)
