"""The end of sessions: at once in this process, soon for everybody else."""

from collections.abc import Iterable, Sequence

from antiphon_server.auth.model import Session
from antiphon_server.auth.model.security_events import (
    RevocationCause,
    SecurityEvent,
    SessionRevoked,
    SignedOut,
)
from antiphon_server.auth.ports import SessionEvents, SessionStore
from antiphon_server.auth.ports.messenger import RevocationMessenger
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
        messenger: RevocationMessenger,
    ) -> None:
        self._store = store
        self._events = events
        self._liveness = liveness
        self._messenger = messenger

    async def announce(self, ended: Sequence[Session]) -> None:
        """Refuse the tokens of these sessions from now on, and tell the event log.

        They are ended and recorded in the store already.
        """
        if not ended:
            return
        for session in ended:
            self._liveness.ended(session.session_id)
        self._messenger.publish()
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


def ends(
    ended: Iterable[Session], cause: RevocationCause | None = RevocationCause.REQUESTED
) -> list[SecurityEvent]:
    """What is recorded of these ends; without a cause their user has signed out."""
    return [_event(session, cause) for session in ended if _is_told(session, cause)]


def _is_told(session: Session, cause: RevocationCause | None) -> bool:
    """Whether an end is recorded: all but those that a program's own sign-ins come to.

    That its key was used is on record, and not each sign-in either.
    """
    own = cause is None or cause is RevocationCause.TOO_MANY
    return session.api_key_id is None or not own


def _event(session: Session, cause: RevocationCause | None) -> SecurityEvent:
    detail = SignedOut() if cause is None else SessionRevoked(session.session_id, cause)
    return SecurityEvent(detail, session.user_id)
