"""What is kept in memory for a time; the memory is the process's, and goes with it."""

from collections.abc import Callable
from dataclasses import replace

from antiphon_server.auth.model import KEPT_AFTER_END, Session
from antiphon_server.runtime.principal import SessionId


class MemoryExpiring:
    """An :class:`~antiphon_server.auth.ports.expiring.Expiring` of sessions in memory."""

    def __init__(self, sessions: Callable[[], dict[SessionId, Session]]) -> None:
        self._sessions = sessions

    async def end_expired(self, now: int, limit: int) -> list[Session]:
        """See :meth:`Expiring.end_expired`."""
        sessions = self._sessions()
        over = [one for one in sessions.values() if one.end_time is None and one.expire_time <= now]
        ended = [replace(one, end_time=one.expire_time) for one in over[:limit]]
        sessions.update({one.session_id: one for one in ended})
        return ended

    async def forget(self, now: int, limit: int) -> int:
        """See :meth:`Expiring.forget`."""
        sessions, before = self._sessions(), now - KEPT_AFTER_END
        over = [one for one in sessions.values() if one.end_time and one.end_time <= before]
        for one in over[:limit]:
            del sessions[one.session_id]
        return len(over[:limit])
