"""Who works on what: leases renewed, lost ones let go, orphaned turns adopted."""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.model import ConversationId, State, Turn
from antiphon_server.dispatcher.ports import TurnStore
from antiphon_server.dispatcher.recovery import Recovery
from antiphon_server.runtime.errors import DomainError

LEASE_S = 15.0
ADOPTED_AT_ONCE = 8

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
        self._claiming = asyncio.Lock()
        self._adopting: dict[ConversationId, asyncio.Event] = {}
        self._at_once = asyncio.Semaphore(ADOPTED_AT_ONCE)

    async def settled(self, conversation_id: ConversationId) -> None:
        """Return when no turns of the conversation are being adopted: all are in hand."""
        async with self._claiming:
            adopting = self._adopting.get(conversation_id)
        if adopting is not None:
            await adopting.wait()

    async def adopt_orphans(self, *, own: bool = False) -> int:
        """Go on with turns that nobody works on; returns how many, when they are in hand.

        At its start a node takes its ``own`` too: they are those of its earlier life.
        """
        by_conversation: dict[ConversationId, list[Turn]] = {}
        async with self._claiming:
            for turn in await self._claimed(own=own):
                by_conversation.setdefault(turn.conversation_id, []).append(turn)
            self._adopting |= {it: asyncio.Event() for it in by_conversation}
        async with asyncio.TaskGroup() as adopting:
            for conversation_id, turns in by_conversation.items():
                done = self._adopting[conversation_id]
                adopting.create_task(self._adopt(conversation_id, turns, done))
        return sum(map(len, by_conversation.values()))

    async def _claimed(self, *, own: bool) -> Sequence[Turn]:
        orphans = await self._store.claim(self._node, self._now_us(), self._until_us(), own=own)
        in_hand = {active.turn.turn_id for active in self._lanes.all()}
        return [turn for turn in orphans if turn.turn_id not in in_hand]

    async def _adopt(
        self, conversation_id: ConversationId, turns: Sequence[Turn], done: asyncio.Event
    ) -> None:
        try:
            # A queued turn waits for those that run, also if the clock was set back between them.
            for turn in sorted(turns, key=lambda turn: turn.state is State.QUEUED):
                async with self._at_once:
                    await self._adopt_one(turn)
        finally:
            done.set()
            if self._adopting.get(conversation_id) is done:
                del self._adopting[conversation_id]

    async def _adopt_one(self, turn: Turn) -> None:
        try:
            await self._recovery.adopt(turn)
        except DomainError as error:
            log.warning("a turn was not adopted", turn_id=turn.turn_id, why=error.reason)
        except Exception:
            # Its lease runs out, and it is tried again; the others must not wait for it.
            log.exception("a turn could not be adopted", turn_id=turn.turn_id)

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
            await asyncio.sleep(self._lease_s / 3)
            try:
                await self.adopt_orphans()
            except DomainError as error:
                log.warning("no turns could be adopted", why=error.reason)

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
