"""What is good for one use alone."""

import hashlib

from antiphon_server.auth.ports import AttemptStore, Clock
from antiphon_server.auth.service.clock import micros


class SingleUse:
    """Tells a first use from later ones, on all nodes; who asks has seen that it is genuine."""

    def __init__(self, store: AttemptStore, clock: Clock) -> None:
        self._store = store
        self._now = micros(clock)

    async def first(self, kind: str, what: str, until: int) -> bool:
        """Whether it has not been used; remembered until that time, in microseconds."""
        digest = hashlib.sha256(f"{kind}\0{what}".encode()).hexdigest()
        now = self._now()
        uses, _ = await self._store.count(digest, now, until - now)
        return uses == 1
