"""Everything in memory."""

from collections.abc import Callable
from typing import TypeVar

from antiphon_server.context.adapters.sql.outbox import TO_LOG, TO_TRAIL
from antiphon_server.context.model.changes import OutboxEntry
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports import Records
from tests.fakes.memory.context.messages import MemoryMessages
from tests.fakes.memory.context.resources import (
    MemoryConversations,
    MemoryMembers,
    MemoryOutbox,
    MemoryRequests,
    MemoryWorkspaces,
)
from tests.fakes.memory.context.table import Journal

T = TypeVar("T")


class MemoryRecords:
    """See :class:`~antiphon_server.context.ports.Records`."""

    def __init__(self, journal: Journal) -> None:
        self.members = MemoryMembers(journal)
        self.workspaces = MemoryWorkspaces(journal, self.members)
        self.conversations = MemoryConversations(journal, self.members)
        self.members.know(self.workspaces.table, self.conversations.table)
        self.messages = MemoryMessages(journal)
        self.outbox: MemoryOutbox[OutboxEntry] = MemoryOutbox(journal, TO_LOG)
        self.audit_outbox: MemoryOutbox[RoleChange] = MemoryOutbox(journal, TO_TRAIL)
        self.requests = MemoryRequests(journal)


class MemoryStore:
    """A :class:`~antiphon_server.context.ports.Store` that forgets at the end.

    Work runs at once and alone; what it changed is undone if it raises.
    """

    def __init__(self) -> None:
        self._journal = Journal()
        self._records = MemoryRecords(self._journal)

    async def write(self, work: Callable[[Records], T]) -> T:
        """See :meth:`Store.write`."""
        with self._journal.transaction():
            return work(self._records)

    async def read(self, work: Callable[[Records], T], *, snapshot: bool = True) -> T:
        """See :meth:`Store.read`."""
        return work(self._records)
