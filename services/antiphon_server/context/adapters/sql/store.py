"""Transactions on a database, as the rules see them."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from antiphon_server.context.adapters.sql.conversations import SqlConversations
from antiphon_server.context.adapters.sql.erasure_tasks import SqlErasureTasks
from antiphon_server.context.adapters.sql.erasures import SqlErasures
from antiphon_server.context.adapters.sql.members import SqlMembers
from antiphon_server.context.adapters.sql.messages import SqlMessages
from antiphon_server.context.adapters.sql.notices import SqlNotices
from antiphon_server.context.adapters.sql.outbox import TO_LOG, TO_TRAIL, SqlOutbox, SqlRequests
from antiphon_server.context.adapters.sql.workspaces import SqlWorkspaces
from antiphon_server.context.adapters.tables import conversations, messages, outbox, requests
from antiphon_server.context.ports import Records
from antiphon_server.runtime.storage.database import Database

T = TypeVar("T")
_WITH_WORDS = (messages.name, conversations.name, outbox.name, requests.name)


class SqlRecords:
    """See :class:`~antiphon_server.context.ports.Records`."""

    def __init__(self, connection: Connection) -> None:
        self.workspaces = SqlWorkspaces(connection)
        self.conversations = SqlConversations(connection)
        self.members = SqlMembers(connection)
        self.messages = SqlMessages(connection)
        self.notices = SqlNotices(connection)
        self.outbox = SqlOutbox(connection, TO_LOG)
        self.audit_outbox = SqlOutbox(connection, TO_TRAIL)
        self.requests = SqlRequests(connection)
        self.erasures = SqlErasures(connection)
        self.erasure_tasks = SqlErasureTasks(connection)


class SqlStore:
    """A :class:`~antiphon_server.context.ports.Store` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, work: Callable[[Records], T], *, short: bool = False) -> T:
        return await self._database.write(
            lambda connection: work(SqlRecords(connection)), short=short
        )

    async def read(self, work: Callable[[Records], T], *, snapshot: bool = True) -> T:
        return await self._database.read(
            lambda connection: work(SqlRecords(connection)), snapshot=snapshot
        )

    async def scrub(self, *, copies: bool = False) -> None:
        await self._database.scrub(_WITH_WORDS, copies=copies)
