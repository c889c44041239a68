"""Who works on what: leases renewed, lost ones let go, orphaned turns adopted."""

import asyncio
import time
from collections.abc import Callable

import structlog

from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.model import State
from antiphon_server.dispatcher.ports import TurnStore
from antiphon_server.dispatcher.recovery import Recovery
from antiphon_server.runtime.errors import DomainError

LEASE_S = 15.0

log = structlog.get_logger(__name__)


class Leases:
    """Keeps this node's leases, three times within their length."""

    def __init__(
        self,
        store: TurnStore,
        lanes: Lanes,
        recovery: Recovery,
        node: str,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._recovery = recovery
        self._node = node
        self._lease_s = lease_s
        self._clock = clock
        self._renewed_at = clock()
        self._adopting = asyncio.Lock()

    async def settled(self) -> None:
        """Return when no turns are being adopted: what was found so far is in hand."""
        async with self._adopting:
            pass

    async def adopt_orphans(self, *, own: bool = False) -> int:
        """Go on with turns that nobody works on; returns how many.

        At its start a node takes its ``own`` too: they are those of its earlier life.
        """
        async with self._adopting:
            return await self._adopt_orphans(own=own)

    async def _adopt_orphans(self, *, own: bool) -> int:
        now_us, until_us = self._now_us(), self._until_us()
        orphans = await self._store.claim(self._node, now_us, until_us, own=own)
        in_hand = {active.turn.turn_id for active in self._lanes.all()}
        adopted = [turn for turn in orphans if turn.turn_id not in in_hand]
        # A queued turn waits for those that run, also if the clock was set back between them.
        adopted.sort(key=lambda turn: turn.state is State.QUEUED)
        for turn in adopted:
            try:
                await self._recovery.adopt(turn)
            except DomainError as error:
                log.warning("a turn was not adopted", turn_id=turn.turn_id, why=error.reason)
            except Exception:
                # Its lease runs out, and it is tried again; the others must not wait for it.
                log.exception("a turn could not be adopted", turn_id=turn.turn_id)
        return len(adopted)

    async def run(self) -> None:
        """Renew and adopt until cancelled."""
        while True:
            await asyncio.sleep(self._lease_s / 3)
            try:
                await self._renew()
                await self.adopt_orphans()
            except DomainError as error:
                log.warning("leases could not be renewed", why=error.reason)
                self._let_go_if_expired()

    async def _renew(self) -> None:
        active = {it.turn.turn_id: it for it in self._lanes.all() if not it.done.is_set()}
        began = self._clock()
        kept = await self._store.renew(self._node, list(active), self._until_us())
        self._renewed_at = began
        for turn_id in active.keys() - kept:
            if not active[turn_id].done.is_set():
                active[turn_id].abandon()

    def _let_go_if_expired(self) -> None:
        """Stop writing when others may have taken over."""
        if self._clock() - self._renewed_at > self._lease_s:
            for active in self._lanes.all():
                active.abandon()

    def _now_us(self) -> int:
        return int(self._clock() * 1e6)

    def _until_us(self) -> int:
        return int((self._clock() + self._lease_s) * 1e6)
