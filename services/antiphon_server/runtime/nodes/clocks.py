"""Whether this machine's clock is the database's: leases are times."""

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy import Connection, func, select

from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.storage.database import Database

EVERY_S = 60.0
LEAST_S, MOST_S = 1.0, 10.0
_NOW = select(func.extract("epoch", func.clock_timestamp()))

log = logging.getLogger(__name__)


class ClocksDiffer(Exception):
    """This machine's clock is not the database's; the message says by how much."""


class ClockWatch:
    """Compares the two, at the start and then every minute.

    A server whose clock is ahead by a lease takes running work from all others, one whose clock
    is behind loses its own. Of a lease a third may be lost by that, ``MOST_S`` at most.
    """

    def __init__(
        self,
        database: Database,
        lease_s: float,
        clock: Callable[[], float] = time.time,
        every_s: float = EVERY_S,
    ) -> None:
        self._database = database
        self._most_s = min(MOST_S, max(LEAST_S, lease_s / 3))
        self._clock = clock
        self._every_s = every_s

    async def check(self) -> None:
        """Raise ClocksDiffer if they differ by too much."""
        before = self._clock()
        theirs = await self._database.read(_now, snapshot=False)
        after = self._clock()
        ahead = before - theirs if before > theirs else min(0.0, after - theirs)
        if abs(ahead) > self._most_s:
            where = "ahead of" if ahead > 0 else "behind"
            raise ClocksDiffer(
                f"this machine's clock is {abs(ahead):.1f} s {where} the database's: servers would "
                "take each other's work for abandoned. Set both by NTP"
            )

    async def run(self) -> None:
        """Say so when they come to differ, until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.check()
            except ClocksDiffer as error:
                log.error("%s", error)
            except DomainError as error:
                log.debug("the database's clock can't be read: %s", error)


def _now(connection: Connection) -> float:
    return float(connection.execute(_NOW).scalar_one())
