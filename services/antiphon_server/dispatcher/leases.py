"""Who works on what: leases renewed, lost ones let go, orphaned turns claimed."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from antiphon_server.dispatcher.adoption import Adoptions
from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.ports import TurnStore
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.telemetry.structured import structlog

LEASE_S = 15.0

log = structlog.get_logger(__name__)


class Leases:
    """Keeps this node's leases, three times within their length.

    As often it looks for orphans, and whenever ``left`` is set: a server has left turns behind.
    """

    def __init__(
        self,
        store: TurnStore,
        lanes: Lanes,
        adoptions: Adoptions,
        node: str,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.time,
        left: asyncio.Event | None = None,
    ) -> None:
        self._left = left or asyncio.Event()
        self._store = store
        self._lanes = lanes
        self._adoptions = adoptions
        self._node = node
        self._lease_s = lease_s
        self._clock = clock
        self._renewed_at = clock()

    async def adopt_orphans(self, *, own: bool = False) -> int:
        """Begin to go on with turns that nobody works on; returns how many.

        At its start a node takes its ``own`` too: they are those of its earlier life.
        """
        now_us = int(self._clock() * 1e6)
        claimed = await self._store.claim(self._node, now_us, self._until_us(), own=own)
        return self._adoptions.begin(claimed)

    async def run(self) -> None:
        """Renew and adopt until cancelled: however long that takes, leases are renewed."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._keep(), name="turns' leases renewed")
            both.create_task(self._take(), name="turns adopted")

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            try:
                await self._renew()
            except DomainError as error:
                log.warning("leases could not be renewed", why=error.reason)
                self._let_go_if_expired()

    async def _take(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._lease_s / 3):
                    await self._left.wait()
            self._left.clear()
            try:
                await self.adopt_orphans()
            except DomainError as error:
                log.warning("no turns could be adopted", why=error.reason)

    async def _renew(self) -> None:
        active = {it.turn.turn_id: it for it in self._lanes.all() if not it.done.is_set()}
        held = active.keys() | self._adoptions.turn_ids
        began = self._clock()
        kept = await self._store.renew(self._node, list(held), self._until_us())
        self._renewed_at = began
        self._adoptions.let_go(held - kept)
        for turn_id in active.keys() - kept:
            if not active[turn_id].done.is_set():
                active[turn_id].abandon()

    def _let_go_if_expired(self) -> None:
        """Stop writing when others may have taken over."""
        if self._clock() - self._renewed_at > self._lease_s:
            for active in self._lanes.all():
                active.abandon()

    def _until_us(self) -> int:
        return int((self._clock() + self._lease_s) * 1e6)
