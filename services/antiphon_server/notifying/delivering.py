"""What posts deliveries: those that are due, some at once, and no host holds up another."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence

from antiphon_server.notifying.model import Attempt, Claimed, Due, Outcome, Verdict
from antiphon_server.notifying.places import AT_ONCE, Places
from antiphon_server.notifying.ports import DeliveryStore, Posts, Rights
from antiphon_server.notifying.retrying import verdict
from antiphon_server.runtime.concurrency.tasks import TaskSet, every
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.telemetry.structured import structlog

LOOK_S = 1.0
CLAIM_US = 30_000_000
"""Longer than an attempt may take; what a server that dies was posting comes due behind it."""
BATCH = 50
SEEN = 50
"""So many of those that are due are looked at, and then those of others than had no place."""
GRACE_S = 2.0
MOST_AGE_US = 4 * 24 * 3600 * 1_000_000
"""All attempts take less, unless there are too many for the places of their webhook."""
KEPT_US = 7 * 24 * 3600 * 1_000_000
FORGET_S = 600.0
COUNT_S = 15.0

log = structlog.get_logger(__name__)


def _now_us() -> int:
    return time.time_ns() // 1000


class Delivering:
    """Posts, as long as it runs. ``counted`` has what came of attempts, ``waiting`` what waits."""

    def __init__(
        self,
        store: DeliveryStore,
        posts: Posts,
        rights: Rights,
        now_us: Callable[[], int] = _now_us,
    ) -> None:
        self._store, self._posts, self._rights = store, posts, rights
        self._now_us = now_us
        self._tasks = TaskSet()
        self._places = Places()
        self._wake = asyncio.Event()
        self._lapsed = False
        self.counted: Counter[Outcome] = Counter()
        self.waiting = 0

    @property
    def under_way(self) -> int:
        """How many are being posted."""
        return len(self._tasks)

    def wake(self) -> None:
        """Look now: there may be something."""
        self._wake.set()

    async def run(self, *, alone: bool) -> None:
        """Post what is due, until cancelled.

        If ``alone``, what an earlier life of this server was posting is due at once.
        """
        self._lapsed = alone
        await every(0, self._look_when_due)

    async def run_tidying(self) -> None:
        """Forget what is old, until cancelled."""
        await every(FORGET_S, self.forget)

    async def run_counting(self) -> None:
        """Count what waits, until cancelled."""
        await every(COUNT_S, self._count)

    async def close(self) -> None:
        """Let what is being posted end, for a moment; what does not is posted again later."""
        try:
            async with asyncio.timeout(GRACE_S):
                await self._tasks.idle()
        except TimeoutError:
            pass
        await self._tasks.stop()

    async def _look_when_due(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        if self._lapsed:
            await self._store.release_all(self._now_us())
            self._lapsed = False
        await self.look()

    async def look(self) -> None:
        """Begin to post what is due and has a place."""
        crowded = self._places.full_webhooks
        while len(self._places) < AT_ONCE:
            full = self._places.full_hosts, self._places.full_creators
            found = await self._store.due(self._now_us(), crowded, *full, SEEN)
            begun = await self._begin([it for it in found if self._places.take(it)])
            more = {it.webhook_id for it in found if not self._places.has(it)}
            if len(found) < SEEN or not (begun or more - crowded):
                return
            crowded |= more

    async def _begin(self, chosen: Sequence[Due]) -> int:
        """Post those of them that no other server has taken meanwhile; returns how many.

        Each has its place.
        """
        if not chosen:
            return 0
        waiting = {it.key: it for it in chosen}
        now_us = self._now_us()
        try:
            for claimed in await self._store.claim(chosen, now_us, now_us + CLAIM_US):
                due = waiting.pop((claimed.delivery.webhook_id, claimed.delivery.notification_id))
                name = f"delivery {due.notification_id}"
                self._tasks.spawn(name, self._deliver(claimed, due))
        finally:
            for due in waiting.values():
                self._places.leave(due)
        return len(chosen) - len(waiting)

    async def _deliver(self, claimed: Claimed, due: Due) -> None:
        try:
            attempt = await self._attempt(claimed)
            self.counted[attempt.outcome] += 1
            await self._settle(claimed, attempt)
        except DomainError as error:  # it comes due again when its claim lapses
            log.warning("a delivery was not posted, or not noted", why=error.reason)
        finally:
            self._places.leave(due)
            self._wake.set()

    async def _attempt(self, claimed: Claimed) -> Attempt:
        """Post it, unless whose webhook it is may not know of it any more."""
        owner, delivery = claimed.webhook.owner, claimed.delivery
        if not await self._rights.may_act(owner) or not await self._rights.may_read(
            owner, delivery.conversation_id
        ):
            return Attempt(Outcome.ACCESS_LOST)
        return await self._posts.post(claimed.webhook, delivery.notification_id, delivery.body)

    async def _settle(self, claimed: Claimed, attempt: Attempt) -> None:
        now_us = self._now_us()
        found: Verdict = verdict(claimed, attempt, now_us)
        await self._store.settle(claimed, attempt, found, now_us)

    async def forget(self) -> None:
        """Give up those that have waited for days, and forget those that ended a week ago."""
        now_us = self._now_us()
        while await self._store.give_up(now_us - MOST_AGE_US, now_us, BATCH) == BATCH:
            pass
        before_us = self._now_us() - KEPT_US
        while await self._store.forget(before_us, BATCH) == BATCH:
            pass

    async def _count(self) -> None:
        self.waiting = await self._store.waiting()
