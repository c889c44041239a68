"""How everybody else learns of ends."""

from typing import Protocol

from antiphon_server.runtime.access.principal import SessionId, UserId


class SessionEvents(Protocol):
    """Tells everybody else that a session has ended."""

    async def session_revoked(self, user_id: UserId, session_id: SessionId) -> bool:
        """Make it known, once however often it is called; False if that failed for now."""
        ...
