"""Tells the log what was committed, in order and at least once until it is known."""

import asyncio
import itertools
import logging
from collections.abc import Sequence

from antiphon_server.context.model.changes import OutboxEntry
from antiphon_server.context.ports import EventLog, Store
from antiphon_server.runtime.errors import DomainError

BATCH = 64
FIRST_RETRY_S = 0.2
LAST_RETRY_S = 15.0

log = logging.getLogger(__name__)


class Relay:
    """Moves the outbox into the log.

    ``run`` is the background task that tries again; the lifecycle calls
    ``relay_outbox`` at the start, for what an earlier process left.
    """

    def __init__(self, store: Store, event_log: EventLog, first_retry_s: float = FIRST_RETRY_S):
        self._store = store
        self._log = event_log
        self._first_retry_s = first_retry_s
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
        pause = self._first_retry_s
        while True:
            await self._leftovers.wait()
            self._leftovers.clear()
            await asyncio.sleep(pause)
            done = await self.relay_outbox()
            pause = self._first_retry_s if done else min(pause * 2, LAST_RETRY_S)

    async def _relay_all(self) -> bool:
        async with self._one_at_a_time:
            while True:
                entries = await self._store.read(lambda r: r.outbox.first(BATCH))
                if not entries:
                    return True
                known = await self._tell(entries)
                if known:
                    await self._store.write(lambda r, ids=known: r.outbox.remove(ids))  # type: ignore[misc]
                if len(known) < len(entries):
                    return False
                if len(entries) < BATCH:
                    return True

    async def _tell(self, entries: Sequence[OutboxEntry]) -> list[str]:
        """Scopes side by side, each in order; returns the ids of what the log knows now."""
        ordered = sorted(entries, key=lambda entry: entry.scope)  # stable
        scopes = [list(it) for _, it in itertools.groupby(ordered, lambda entry: entry.scope)]
        known = await asyncio.gather(*(self._tell_scope(scope) for scope in scopes))
        return list(itertools.chain.from_iterable(known))

    async def _tell_scope(self, entries: Sequence[OutboxEntry]) -> list[str]:
        known: list[str] = []
        for entry in entries:
            try:
                await self._log.append(entry)
            except DomainError as error:
                log.warning("%s was not told of a change: %s", entry.scope, error.reason)
                break
            known.append(entry.entry_id)
        return known
