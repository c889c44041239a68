"""Model calls of servers that are gone: nobody else can settle them."""

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy import Connection, not_, update

from antiphon_server.integration.ledger.adapters.reserving import release_lost
from antiphon_server.integration.ledger.adapters.tables import calls
from antiphon_server.integration.ledger.model import Outcome
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.nodes import alive
from antiphon_server.runtime.nodes.name import LEASE_S
from antiphon_server.runtime.storage.database import Database

_ABANDON = (
    update(calls)
    .where(calls.c.outcome.is_(None), not_(alive(calls.c.owner)))
    .values(outcome=Outcome.UNKNOWN.value)
)
log = logging.getLogger(__name__)


class LostCalls:
    """Settles as UNKNOWN what servers whose leases have run out left open.

    What is reserved for them is free again. Leases are of ``lease_s`` seconds, and it looks as
    often.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        lease_s: float = LEASE_S,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease_s = lease_s

    async def abandon(self) -> int:
        """Do so once; returns how many."""
        bound = {"alive_us": int(self._clock() * 1e6)}

        def work(connection: Connection) -> int:
            abandoned = int(connection.execute(_ABANDON, bound).rowcount)
            release_lost(connection)
            return abandoned

        return await self._database.write(work)

    async def run(self) -> None:
        """Do so regularly, until cancelled."""
        while True:
            await asyncio.sleep(self._lease_s)
            try:
                abandoned = await self.abandon()
            except DomainError as error:
                log.warning("calls of lost servers could not be settled: %s", error.reason)
                continue
            if abandoned:
                log.warning("%d calls of a lost server have no known end", abandoned)
