"""The end of sessions: at once in this process, soon for everybody else."""

from collections.abc import Callable, Sequence

from antiphon_server.auth.model import SECOND, Session
from antiphon_server.auth.model.security_events import (
    RevocationCause,
    SealedEvent,
    SecurityEvent,
    Selection,
    SessionRevoked,
    SignedOut,
)
from antiphon_server.auth.ports import SessionEvents, SessionStore
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.ports.security_events import SecurityEvents, SecurityEventStore
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.runtime.principal import SessionId

BATCH = 100
ENDS = frozenset({23, 24})
"""SecurityEventKind's numbers for SignedOut and SessionRevoked."""

EndedSession = Callable[[SealedEvent], str]
"""The id of the session whose end an event tells of."""


class Endings:
    """Makes the end of sessions known.

    What the event log could not take stays noted in the store and is told at the
    next ending or start.
    """

    def __init__(
        self,
        store: SessionStore,
        events: SessionEvents,
        liveness: Liveness,
        security_events: SecurityEvents,
        messenger: RevocationMessenger,
        trail: SecurityEventStore,
        ended_session: EndedSession,
    ) -> None:
        self._store = store
        self._events = events
        self._liveness = liveness
        self._security_events = security_events
        self._messenger = messenger
        self._trail = trail
        self._ended_session = ended_session

    async def announce(
        self,
        ended: Sequence[Session],
        cause: RevocationCause | None = RevocationCause.REQUESTED,
        *reasons: SecurityEvent,
    ) -> None:
        """Refuse the tokens of these sessions from now on, record it, then tell the event log.

        They are ended in the store already. Without a cause their user has signed out.
        ``reasons`` are what they ended for, recorded before them. What can't be recorded is
        refused and told all the same, and raised at the end.
        """
        for session in ended:
            self._liveness.ended(session.session_id)
        if ended:
            self._messenger.tell()
        try:
            events = (_event(session, cause) for session in ended)
            await self._security_events.record(*reasons, *events)
        finally:
            if ended:
                await self.announce_pending()

    async def recover(self) -> None:
        """Tell what a process that was killed may have left untold, and record what it had not."""
        cause = RevocationCause.INTERRUPTED
        while pending := await self._store.list_unannounced(BATCH):
            missing = await self._unrecorded(pending)
            await self._security_events.record(*(_event(session, cause) for session in missing))
            if not await self._told(pending):
                return

    async def announce_pending(self) -> None:
        """Tell the event log of all ends that it does not know yet."""
        while pending := await self._store.list_unannounced(BATCH):
            if not await self._told(pending):
                return

    async def _told(self, pending: Sequence[Session]) -> bool:
        """Whether the event log took all of these ends; those that it took are noted."""
        told = []
        for session in pending:
            if not await self._events.session_revoked(session.user_id, session.session_id):
                break
            told.append(session.session_id)
        if told:
            await self._store.mark_announced(told)
        return len(told) == len(pending)

    async def _unrecorded(self, ended: Sequence[Session]) -> list[Session]:
        """Those of whose end the trail does not tell."""
        missing = {session.session_id: session for session in ended}
        # A clock that was put back in between shall make nothing told twice.
        since = min(session.end_time or 0 for session in ended) - 60 * SECOND
        ends, place = Selection(kinds=ENDS, begin_time=since), 0
        while missing and (page := await self._trail.after(place, ends, BATCH)):
            place = page[-1].sequence
            for event in page:
                missing.pop(SessionId(self._ended_session(event)), None)
        return list(missing.values())


def _event(session: Session, cause: RevocationCause | None) -> SecurityEvent:
    detail = SignedOut() if cause is None else SessionRevoked(session.session_id, cause)
    return SecurityEvent(detail, session.user_id)
