"""Tells others what was committed, in order and at least once until it is known."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic

from antiphon_server.context.model.changes import OutboxEntry
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports import E, EventLog, OutboxRecords, Records, RoleAudit, Store
from antiphon_server.runtime.concurrency.patience import OUTBOX
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.errors import DomainError

BATCH = 64

log = logging.getLogger(__name__)


class Relay(Generic[E]):
    """Moves an outbox to where it belongs.

    ``tell`` commits an entry there, one that was told before is left alone; ``whom`` names who is
    told, each in order. ``run`` is the background task that tries again; the lifecycle calls
    ``relay_outbox`` at the start, for what an earlier process left.
    """

    def __init__(
        self,
        store: Store,
        outbox: Callable[[Records], OutboxRecords[E]],
        tell: Callable[[E], Awaitable[None]],
        whom: Callable[[E], str],
        policy: RetryPolicy = OUTBOX,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._tell = tell
        self._whom = whom
        self._policy = policy
        self._one_at_a_time = asyncio.Lock()
        self._leftovers = asyncio.Event()

    async def relay_outbox(self) -> bool:
        """Move all that waits; False if something had to stay. Raises nothing but cancellation."""
        done = False
        try:
            done = await self._relay_all()
        except DomainError as error:
            log.warning("the outbox could not be relayed: %s", error.reason)
        except Exception:
            log.exception("the outbox could not be relayed")
        finally:
            if not done:
                self._leftovers.set()
        return done

    async def run(self) -> None:
        """Relay what had to stay, again and again, until cancelled."""
        failures = 0
        while True:
            await self._leftovers.wait()
            self._leftovers.clear()
            failures += 1
            await asyncio.sleep(self._policy.pause(failures))
            if await self.relay_outbox():
                failures = 0

    async def _relay_all(self) -> bool:
        async with self._one_at_a_time:
            while True:
                entries = await self._store.read(lambda r: self._outbox(r).first(BATCH))
                if not entries:
                    return True
                known = await self._tell_all(entries)
                if known:
                    await self._store.write(lambda r, ids=known: self._outbox(r).remove(ids))  # type: ignore[misc]
                if len(known) < len(entries):
                    return False
                if len(entries) < BATCH:
                    return True

    async def _tell_all(self, entries: Sequence[E]) -> list[str]:
        """Listeners side by side, each in order; returns the ids of what is known now."""
        ordered = sorted(entries, key=self._whom)  # stable
        listeners = [list(it) for _, it in itertools.groupby(ordered, self._whom)]
        known = await asyncio.gather(*map(self._tell_in_order, listeners))
        return list(itertools.chain.from_iterable(known))

    async def _tell_in_order(self, entries: Sequence[E]) -> list[str]:
        known: list[str] = []
        for entry in entries:
            try:
                await self._tell(entry)
            except DomainError as error:
                log.warning("%s was not told of a change: %s", self._whom(entry), error.reason)
                break
            known.append(entry.entry_id)
        return known


def relay_to_log(
    store: Store, event_log: EventLog, policy: RetryPolicy = OUTBOX
) -> Relay[OutboxEntry]:
    """Tells the log of changes; no scope waits for another."""
    return Relay(store, lambda r: r.outbox, event_log.append, lambda entry: entry.scope, policy)


def relay_to_trail(
    store: Store, audit: RoleAudit, policy: RetryPolicy = OUTBOX
) -> Relay[RoleChange]:
    """Tells the audit trail of roles, of all in one order."""
    return Relay(store, lambda r: r.audit_outbox, audit.role_changed, lambda _: "the trail", policy)
