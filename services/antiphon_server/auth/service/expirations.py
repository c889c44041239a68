"""Sessions that ran out are ended and recorded, though nobody calls when they do."""

from collections.abc import Sequence

from antiphon_server.auth.model import Session
from antiphon_server.auth.model.security_events import SecurityEvent, SessionExpired
from antiphon_server.auth.ports import Clock, SessionStore
from antiphon_server.auth.ports.security_events import Recorder
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.security_events import AUTH
from antiphon_server.runtime.concurrency.tasks import every

EVERY_S = 15.0
BATCH = 500


class Expirations:
    """Ends and records what ran out, each session once, however many servers use the store.

    ``run`` must be running.
    """

    def __init__(self, sessions: SessionStore, recorder: Recorder, clock: Clock) -> None:
        self._sessions = sessions
        self._recorder = recorder
        self._now = micros(clock)
        self._looked = 0

    async def run(self) -> None:
        """Look every 15 s."""
        await every(EVERY_S, self.look)

    async def look(self) -> None:
        """Record what has run out by now, and had by the look before: an end is for good.

        So a clock that ran ahead for one look ends nothing. What can't be recorded is the next
        look's.
        """
        now = self._now()
        over, self._looked, found = min(now, self._looked), now, True
        while found:
            with self._recorder.recording(_events) as records:
                found = bool(await self._sessions.expire(over, BATCH, records))


def _events(expired: Sequence[Session]) -> list[SecurityEvent]:
    """What to tell; a program's sessions all run out, one for each of its sign-ins."""
    return [
        SecurityEvent(SessionExpired(one.session_id), one.user_id, actor=AUTH, session_id="")
        for one in expired
        if one.api_key_id is None
    ]
