"""An event log that keeps the ends of sessions in memory."""

from antiphon_server.runtime.access.principal import SessionId, UserId


class MemorySessionEvents:
    """A :class:`~antiphon_server.auth.ports.SessionEvents`: ``told`` in order.

    While ``reachable`` is False nothing can be told.
    """

    def __init__(self) -> None:
        self.told: list[tuple[UserId, SessionId]] = []
        self.reachable = True

    async def session_revoked(self, user_id: UserId, session_id: SessionId) -> bool:
        """See :meth:`SessionEvents.session_revoked`."""
        if self.reachable and (user_id, session_id) not in self.told:
            self.told.append((user_id, session_id))
        return self.reachable
