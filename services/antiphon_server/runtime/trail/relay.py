"""Tells the audit trail, or a log, what was changed, at least once until it knows."""

import asyncio
import logging

from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.concurrency.retry_policies import OUTBOX
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.trail.ports import Outbox, SecurityTrail

BATCH = 64
WAIT_S = 2.0
"""So long an answer waits for the trail; what takes longer is told later."""
FOR_GOOD = frozenset({Reason.INVALID_ARGUMENT, Reason.REQUEST_ID_REUSED})
"""Refusals of an entry itself, such as by a server that does not know its kind yet."""
log = logging.getLogger(__name__)


class TrailRelay:
    """Moves the outbox to the trail, which ``name`` says. ``run`` is the task that tries again."""

    def __init__(
        self,
        outbox: Outbox,
        trail: SecurityTrail,
        policy: RetryPolicy = OUTBOX,
        name: str = "the audit trail",
    ) -> None:
        self._outbox, self._trail, self._policy, self._name = outbox, trail, policy, name
        self._one_at_a_time = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._left = asyncio.Event()
        self._left.set()  # what an earlier process has left
        self._completion = Completion()

    async def tell(self) -> None:
        """Tell what waits, but let nobody wait for long. Raises nothing but cancellation."""
        if self._next is None or self._next.done():
            self._next = self._completion.begin(self._told_next())
        await asyncio.wait([self._next], timeout=WAIT_S)

    async def run(self) -> None:
        """Tell what could not be told at once, until cancelled."""
        failures = 0
        while True:
            await self._left.wait()
            self._left.clear()
            failures = 0 if await self._told() else failures + 1
            if failures:
                await asyncio.sleep(self._policy.pause(failures))

    async def close(self) -> None:
        """Wait for what is being told."""
        await self._completion.close()

    async def _told_next(self) -> None:
        """Tell for all who ask for it until the one before is done."""
        async with self._one_at_a_time:
            self._next = None  # what is changed from now on may be behind what this one reads
            await self._told_now()

    async def _told(self) -> bool:
        async with self._one_at_a_time:
            return await self._told_now()

    async def _told_now(self) -> bool:
        """Whether nothing is left."""
        done = False
        try:
            done = await self._tell_all()
        except DomainError as error:
            log.warning("%s was not told of a change: %s", self._name, error.reason)
        except Exception:
            log.exception("%s was not told of a change", self._name)
        if not done:
            self._left.set()
        return done

    async def _tell_all(self) -> bool:
        after, done = 0, True
        while page := await self._outbox.first(after, BATCH):
            for place, entry in page:
                after = place
                try:
                    await self._trail.record(entry)
                except DomainError as error:
                    if error.reason not in FOR_GOOD:
                        raise
                    log.error("%s refuses %s: %s", self._name, entry.entry_id, error.reason)
                    done = False
                else:
                    await self._outbox.remove(entry)
        return done
