"""Sessions that ran out are recorded, though nothing happens when they do."""

from antiphon_server.auth.model import SECOND, Position, Session
from antiphon_server.auth.model.security_events import ALL, SecurityEvent, SessionExpired
from antiphon_server.auth.ports import Clock, SessionStore
from antiphon_server.auth.ports.security_events import SecurityEvents, SecurityEventStore
from antiphon_server.runtime.tasks import every

EVERY_S = 15.0
BATCH = 500


class Expirations:
    """Records what expired since it last looked; after a stop, since the newest event before it.

    ``run`` must be running. Where several servers use one store each of them records it.
    """

    def __init__(
        self,
        sessions: SessionStore,
        trail: SecurityEventStore,
        events: SecurityEvents,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._trail = trail
        self._events = events
        self._clock = clock
        self._place: Position | None = None

    async def begin(self) -> None:
        """Note from when on to look, before this process records anything."""
        newest = await self._trail.before(None, ALL, 1)
        now = int(self._clock() * SECOND)
        self._place = Position(min(newest[0].create_time, now) if newest else now, "")

    async def run(self) -> None:
        """Look every 15 s."""
        await every(EVERY_S, self.look)

    async def look(self) -> None:
        """Record what has expired by now; what can't be recorded is the next look's."""
        if self._place is None:
            await self.begin()
        now = int(self._clock() * SECOND)
        while self._place and (
            expired := await self._sessions.list_expired(self._place, now, BATCH)
        ):
            await self._events.record(*map(_event, expired))
            self._place = Position(expired[-1].expire_time, expired[-1].session_id)


def _event(session: Session) -> SecurityEvent:
    detail = SessionExpired(session.session_id)
    return SecurityEvent(detail, session.user_id, actor="services/auth", session_id="")
