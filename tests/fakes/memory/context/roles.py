"""What would be recorded of roles, in memory."""

from antiphon_server.context.model.changes import EncodedEntry
from antiphon_server.context.model.role_changes import RoleChange
from tests.fakes.memory.context.entries import role_change_of


class MemoryRoles:
    """A :class:`~antiphon_server.context.ports.RoleAudit` in memory."""

    def __init__(self) -> None:
        self._changes: dict[str, RoleChange] = {}

    @property
    def changes(self) -> list[RoleChange]:
        """Those that were told, in that order."""
        return list(self._changes.values())

    async def role_changed(self, change: EncodedEntry) -> None:
        """See :meth:`RoleAudit.role_changed`."""
        self._changes.setdefault(change.entry_id, role_change_of(change))
