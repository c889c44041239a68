"""How many sessions live, looked up now and then: a scrape asks no store."""

import logging

from antiphon_server.auth.ports import Clock, SessionStore
from antiphon_server.auth.service.clock import micros
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.errors import DomainError

EVERY_S = 15.0
log = logging.getLogger(__name__)


class SessionCount:
    """Counts live sessions. ``run`` must be running; ``count`` is None until it has looked."""

    def __init__(self, store: SessionStore, clock: Clock) -> None:
        self._store = store
        self._now = micros(clock)
        self.count: int | None = None

    async def run(self) -> None:
        """Look every 15 s."""
        await every(EVERY_S, self.look)

    async def look(self) -> None:
        """Look now; while the store can't be read the number is not known."""
        try:
            self.count = await self._store.count_live(self._now())
        except DomainError as error:
            log.debug("live sessions can't be counted now: %s", error)
            self.count = None
