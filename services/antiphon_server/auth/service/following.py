"""What other processes on the same store have ended and withdrawn, learned in time."""

import logging

from antiphon_server.auth.model import SECOND
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.endings import EndingStore
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.session_feed import MARGIN_S
from antiphon_server.auth.service.signing_keys import SigningKeys
from antiphon_server.runtime.errors import DomainError

LOOK_EVERY_S = 0.4
CONNECTED_S = 0.7
"""The same while others would say it: they may die before they do, and Redis may lose it."""
PAGE = 1_000
log = logging.getLogger(__name__)


class Following:
    """Reads the ends of sessions in their order, and makes this process refuse those at once.

    Only for processes that share their store with others: what this one ends it knows.
    """

    def __init__(
        self,
        store: EndingStore,
        keys: SigningKeys,
        liveness: Liveness,
        messenger: RevocationMessenger,
        clock: Clock,
        longest_life: int,
    ) -> None:
        self._store = store
        self._keys = keys
        self._liveness = liveness
        self._messenger = messenger
        self._now = micros(clock)
        self._life = (longest_life + MARGIN_S) * SECOND
        self._position = self._last = 0
        self._reads = True

    async def begin(self) -> None:
        """Note where to begin, before anything is verified: from here on no end is missed."""
        self._position = self._last = await self._store.last()

    async def run(self) -> None:
        """Look whenever told, and at least every ``CONNECTED_S``, until cancelled."""
        while True:
            await self._messenger.wait(CONNECTED_S if self._messenger.connected else LOOK_EVERY_S)
            try:
                await self.look()
            except DomainError as error:
                self._set_readable(error)
            else:
                self._set_readable(None)

    async def look(self) -> None:
        """Learn what ended, and which keys came and went, since the last look.

        A store that was away, or has come back without the newest, may have other ends at the
        same places: then all is read that a valid token could be of.
        """
        last = await self._store.last()
        if last < self._last or not self._reads:
            self._position = await self._store.before(self._now() - self._life)
        elif last == self._last:
            return
        while found := await self._store.after(self._position, PAGE):
            for ending in found:
                self._liveness.ended(ending.session_id)
            self._position = found[-1].position
        await self._keys.reload()
        self._last = last

    def _set_readable(self, error: DomainError | None) -> None:
        if self._reads and error is not None:
            log.error("the ends of sessions can't be read (%s); trying on", error.reason)
        if not self._reads and error is None:
            log.warning("the ends of sessions can be read again")
        self._reads = error is None
