"""Begun logins in a database."""

from dataclasses import asdict

from sqlalchemy import Connection, Integer, bindparam, delete, func, insert, select

from antiphon_server.auth.adapters.identity_tables import login_flows
from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.model.identities import LoginFlow, LoginId
from antiphon_server.runtime.database import Database

_ADD = insert(login_flows)
_THIS = (
    login_flows.c.login_id == bindparam("which"),
    login_flows.c.secret_hash == bindparam("secret"),
)
_FIND = select_all(login_flows).where(*_THIS)
_REMOVE = delete(login_flows).where(*_THIS)
_FORGET = delete(login_flows).where(login_flows.c.expire_time <= bindparam("now"))
_COUNT = select(func.count()).select_from(login_flows)
_OLDEST = (
    select(login_flows.c.login_id)
    .order_by(login_flows.c.expire_time, login_flows.c.login_id)
    .limit(bindparam("too_many", type_=Integer))
)
_DROP = delete(login_flows).where(login_flows.c.login_id.in_(bindparam("these", expanding=True)))


class SqlLoginFlows:
    """A :class:`~antiphon_server.auth.ports.identities.LoginFlowStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, flow: LoginFlow, now: int, most: int) -> None:
        """See :meth:`LoginFlowStore.add`."""

        def work(connection: Connection) -> None:
            connection.execute(_FORGET, {"now": now})
            too_many = connection.execute(_COUNT).scalar_one() - most + 1
            if too_many > 0:
                oldest = connection.execute(_OLDEST, {"too_many": too_many}).scalars().all()
                connection.execute(_DROP, {"these": oldest})
            connection.execute(_ADD, asdict(flow))

        await self._database.write(work)

    async def take(self, login_id: LoginId, secret_hash: bytes) -> LoginFlow | None:
        """See :meth:`LoginFlowStore.take`."""
        which = {"which": login_id, "secret": secret_hash}

        def work(connection: Connection) -> LoginFlow | None:
            row = connection.execute(_FIND, which).one_or_none()
            # Who deletes it has it, if two found it at once.
            taken = connection.execute(_REMOVE, which).rowcount
            return LoginFlow(*row) if row and taken else None

        return await self._database.write(work)
