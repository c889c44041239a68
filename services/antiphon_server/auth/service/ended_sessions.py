"""Which sessions of valid tokens have ended, as another process told of them."""

import logging
from collections import OrderedDict
from collections.abc import Sequence

from antiphon_server.auth.ports import Clock
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.errors import unavailable

MOST = 1_000_000
log = logging.getLogger(__name__)


class EndedSessions:
    """:class:`~antiphon_server.auth.service.verifier.Sessions` by the ends of sessions alone.

    A token that has not expired is at most ``kept_s`` seconds old, so its session ended
    within that time or goes on: nobody has to be asked. Until all of those are known, and
    while there are more than can be remembered, nobody is let in.
    """

    def __init__(self, liveness: Liveness, clock: Clock, kept_s: float, most: int = MOST) -> None:
        self._liveness = liveness
        self._clock = clock
        self._kept_s = kept_s
        self._most = most
        self._known_at: OrderedDict[SessionId, float] = OrderedDict()
        self._complete = False
        self._blind_until = 0.0

    def learn(self, ended: Sequence[SessionId], *, up_to_date: bool) -> None:
        """These have ended; ``up_to_date`` says that nobody else has."""
        now = self._clock()
        for session_id in ended:
            self._known_at[session_id] = now
            self._known_at.move_to_end(session_id)  # told again, as after another history
            self._liveness.ended(session_id)
        self._complete = self._complete or up_to_date
        self._forget(now)

    async def lives(self, session_id: SessionId) -> bool:
        """See :meth:`Sessions.lives`. Raises DomainError SERVICE_UNAVAILABLE."""
        if not self._complete or self._clock() < self._blind_until:
            raise unavailable("auth")
        return session_id not in self._known_at

    def _forget(self, now: float) -> None:
        while self._known_at:
            session_id, known_at = next(iter(self._known_at.items()))
            too_many = len(self._known_at) > self._most
            if known_at + self._kept_s >= now and not too_many:
                return
            if too_many:
                if now >= self._blind_until:
                    log.error("too many sessions ended at once: tokens can't be told apart")
                self._blind_until = known_at + self._kept_s
            del self._known_at[session_id]
