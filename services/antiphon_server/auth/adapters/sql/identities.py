"""Identities in a database."""

from collections.abc import Callable
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from antiphon_server.auth.adapters.account_tables import sessions, users
from antiphon_server.auth.adapters.identity_tables import identities
from antiphon_server.auth.adapters.sql.requests import check, remember
from antiphon_server.auth.adapters.sql.rows import live, select_all
from antiphon_server.auth.adapters.sql.security_events import record
from antiphon_server.auth.adapters.sql.sessions import end_all, store_changes
from antiphon_server.auth.adapters.sql.user_rows import locked_user
from antiphon_server.auth.model import Session, User
from antiphon_server.auth.model.identities import MOST_IDENTITIES, Identity
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database

_THIS = (
    identities.c.issuer == bindparam("which_issuer"),
    identities.c.subject == bindparam("which_subject"),
)
_FIND = select_all(identities).where(*_THIS)
_USE = update(identities).where(*_THIS).values(last_use_time=bindparam("now"))
_REMOVE = delete(identities).where(*_THIS)
_ADD = insert(identities)
_ADD_USER = insert(users)
_COUNT = select(func.count()).where(identities.c.user_id == bindparam("user_id"))
_LIST = (
    select_all(identities)
    .where(identities.c.user_id == bindparam("user_id"))
    .order_by(identities.c.create_time.desc(), identities.c.issuer, identities.c.subject)
    .limit(MOST_IDENTITIES)
)
_OPENED = (
    select_all(sessions)
    .where(sessions.c.user_id == bindparam("user_id"), live())
    .where(sessions.c.provider != "")
    .order_by(sessions.c.session_id)
    .with_for_update()
)
_NAMED = select(users.c.user_id).where(users.c.name == bindparam("name"))


class SqlIdentities:
    """An :class:`~antiphon_server.auth.ports.identities.IdentityStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        identity: Identity,
        most: int,
        records: Records[Identity],
        answer: Callable[[Identity], Answer | None],
    ) -> Identity | None:
        def work(connection: Connection) -> Identity | None:
            locked_user(connection, identity.user_id)  # two at once must count each other
            check(connection, answer(identity))
            found = _find(connection, identity.issuer, identity.subject)
            if found and found.user_id == identity.user_id:
                remember(connection, answer(found))
                return found
            if not _add(connection, identity, most):
                return None
            remember(connection, answer(identity))
            return record(connection, records, identity)

        return await self._database.write(work)

    async def sign_up(
        self, user: User, identity: Identity, records: Records[User]
    ) -> UserId | None:
        def work(connection: Connection) -> UserId | None:
            user_id = _sign_up(connection, user, identity)
            if user_id == user.user_id:
                record(connection, records, user)
            return user_id

        try:
            return await self._database.write(work)
        except IntegrityError:  # another connection was faster
            found = await self.find(identity.issuer, identity.subject)
            return found.user_id if found else None

    async def find(self, issuer: str, subject: str) -> Identity | None:
        return await self._database.read(lambda connection: _find(connection, issuer, subject))

    async def use(self, issuer: str, subject: str, now: int) -> Identity | None:
        def work(connection: Connection) -> Identity | None:
            connection.execute(_USE, _which(issuer, subject) | {"now": now})
            return _find(connection, issuer, subject)

        return await self._database.write(work)

    async def list_of(self, user_id: UserId) -> list[Identity]:
        return await self._database.read(
            lambda each: [Identity(*row) for row in each.execute(_LIST, {"user_id": user_id})]
        )

    async def remove(
        self,
        issuer: str,
        subject: str,
        now: int,
        records: Records[tuple[Identity, list[Session]]],
        answer: Answer | None = None,
    ) -> tuple[Identity, list[Session]] | None:
        def work(connection: Connection) -> tuple[Identity, list[Session]] | None:
            found = _find(connection, issuer, subject)
            if found is None:
                return None
            locked_user(connection, found.user_id)
            if not connection.execute(_REMOVE, _which(issuer, subject)).rowcount:
                return None  # somebody else was faster
            remember(connection, answer)
            ended = _end_opened(connection, found, now)
            return record(connection, records, (found, ended))

        return await self._database.write(work)


def _end_opened(connection: Connection, identity: Identity, now: int) -> list[Session]:
    values = {"user_id": identity.user_id, "now": now}
    ended = end_all(connection.execute(_OPENED, values).all(), now)
    store_changes(connection, ended)
    return ended


def _which(issuer: str, subject: str) -> dict[str, object]:
    return {"which_issuer": issuer, "which_subject": subject}


def _find(connection: Connection, issuer: str, subject: str) -> Identity | None:
    row = connection.execute(_FIND, _which(issuer, subject)).one_or_none()
    return Identity(*row) if row else None


def _add(connection: Connection, identity: Identity, most: int) -> bool:
    if connection.execute(_COUNT, {"user_id": identity.user_id}).scalar_one() >= most:
        return False
    try:
        connection.execute(_ADD, asdict(identity))
    except IntegrityError as error:
        resource = f"identities/{identity.subject}"
        raise DomainError(Reason.ALREADY_EXISTS, resource=resource) from error
    return True


def _sign_up(connection: Connection, user: User, identity: Identity) -> UserId | None:
    found = _find(connection, identity.issuer, identity.subject)
    if found:
        return found.user_id
    if connection.execute(_NAMED, {"name": user.name}).first():
        return None
    connection.execute(_ADD_USER, asdict(user))
    connection.execute(_ADD, asdict(identity))
    return user.user_id
