"""The end of sessions: at once in this process, soon for everybody else."""

from collections.abc import Sequence

from antiphon_server.auth.model import Session
from antiphon_server.auth.model.security_events import (
    RevocationCause,
    SecurityEvent,
    SessionRevoked,
    SignedOut,
)
from antiphon_server.auth.ports import SessionEvents, SessionStore
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.ports.security_events import SecurityEvents
from antiphon_server.auth.service.liveness import Liveness

BATCH = 100


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
    ) -> None:
        self._store = store
        self._events = events
        self._liveness = liveness
        self._security_events = security_events
        self._messenger = messenger

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
        """Record and tell what a process that was killed may have ended without a word."""
        pending = await self._store.list_unannounced(BATCH)
        cause = RevocationCause.INTERRUPTED
        await self._security_events.record(*(_event(session, cause) for session in pending))
        await self.announce_pending()

    async def announce_pending(self) -> None:
        """Tell the event log of all ends that it does not know yet."""
        while pending := await self._store.list_unannounced(BATCH):
            told = []
            for session in pending:
                if not await self._events.session_revoked(session.user_id, session.session_id):
                    break
                told.append(session.session_id)
            if told:
                await self._store.mark_announced(told)
            if len(told) < len(pending):
                return


def _event(session: Session, cause: RevocationCause | None) -> SecurityEvent:
    detail = SignedOut() if cause is None else SessionRevoked(session.session_id, cause)
    return SecurityEvent(detail, session.user_id)
