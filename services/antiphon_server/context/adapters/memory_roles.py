"""What would be recorded of roles, in memory."""

from antiphon_server.context.model.role_changes import RoleChange


class MemoryRoles:
    """A :class:`~antiphon_server.context.ports.RoleAudit` in memory."""

    def __init__(self) -> None:
        self.changes: list[RoleChange] = []

    async def role_changed(self, change: RoleChange) -> None:
        """See :meth:`RoleAudit.role_changed`."""
        self.changes.append(change)
