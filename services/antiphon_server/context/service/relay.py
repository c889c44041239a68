"""Tells others what was committed, in order and at least once until it is known."""

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon_server.context.model.changes import EncodedEntry
from antiphon_server.context.ports import OutboxRecords, Records, RoleAudit, Store
from antiphon_server.runtime.concurrency.completion import Completion
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.concurrency.retry_policies import OUTBOX
from antiphon_server.runtime.errors import DomainError, Reason

BATCH = 64
MOST_HELD_UP = 1024
"""So many entries may have to stay before those behind them, of other listeners, wait too."""
SET_ASIDE_RETRY_S = 3600.0
FOR_GOOD = frozenset({Reason.INVALID_ARGUMENT, Reason.LIMIT_EXCEEDED, Reason.REQUEST_ID_REUSED})
"""Refusals of an entry itself: the same again would be refused again."""

Superseding = Callable[[Sequence[EncodedEntry]], Sequence[EncodedEntry]]
log = logging.getLogger(__name__)


class Relay:
    """Moves an outbox to where it belongs.

    ``tell`` commits an entry there; one that was told before is left alone. One that can't be told
    now holds up those of its own listener. An entry that is refused for good is set aside: those
    behind it go on, also to the same listener, because each says how things are now, and who lost
    access must be seen to lose it. ``superseding`` marks what of a listener's entries is said again
    by a later one. ``run`` is the
    background task that tries again, what was set aside at once and every ``set_aside_retry_s``
    seconds; the lifecycle calls ``start`` before.
    """

    def __init__(
        self,
        store: Store,
        outbox: Callable[[Records], OutboxRecords[Any]],
        tell: Callable[[EncodedEntry], Awaitable[None]],
        policy: RetryPolicy = OUTBOX,
        set_aside_retry_s: float = SET_ASIDE_RETRY_S,
        superseding: Superseding = lambda entries: entries,
    ) -> None:
        self._store = store
        self._superseding = superseding
        self._outbox = outbox
        self._tell = tell
        self._policy = policy
        self._set_aside_retry_s = set_aside_retry_s
        self._one_at_a_time = asyncio.Lock()
        self._leftovers = asyncio.Event()
        self._completion = Completion()
        self._removed = asyncio.Event()
        self._removed.set()
        self._known = True
        self.set_aside = 0
        """How many entries are set aside in the store, as far as this process knows."""
        self.changed = asyncio.Event()
        """Set whenever that changes."""

    @property
    def up(self) -> bool:
        """Whether nothing is set aside."""
        return not self.set_aside

    async def start(self) -> None:
        """Relay what an earlier process left, and look how many entries are set aside."""
        self._known = False
        await self.relay_outbox()

    async def relay_outbox(self) -> bool:
        """Tell all that waits; False if something had to stay. Raises nothing but cancellation.

        What was told is removed a moment later.
        """
        done = False
        try:
            done = await self._relay_all()
            if not self._known:
                await self._count()
        except DomainError as error:
            log.warning("the outbox could not be relayed: %s", error.reason)
        except Exception:
            log.exception("the outbox could not be relayed")
        finally:
            if not done:
                self._leftovers.set()
        return done

    async def told(self) -> None:
        """Tell all that waits and can be told; what was told is removed when this returns."""
        await self.relay_outbox()
        await self._removed.wait()

    async def run(self) -> None:
        """Relay what had to stay, and retry what is set aside, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._relay_leftovers())
            tasks.create_task(self._retry_for_ever())

    async def close(self) -> None:
        """Wait until what was told is removed."""
        await self._completion.close()

    async def retry_set_aside(self) -> None:
        """Tell what was set aside, as far as it is accepted now; another server may do so, too.

        New entries do not wait for it. Raises nothing but cancellation.
        """
        last = 0
        try:
            while page := await self._set_aside_after(last):
                told = [entry.entry_id for _, entry in page if await self._accepted(entry)]
                if told:
                    await self._store.write(lambda r, ids=told: self._outbox(r).forget(ids))  # type: ignore[misc]
                last = page[-1][0]
            await self._count()
        except DomainError as error:
            log.warning("what is set aside could not be told: %s", error.reason)
        except Exception:
            log.exception("what is set aside could not be told")

    async def _relay_leftovers(self) -> None:
        failures = 0
        while True:
            await self._leftovers.wait()
            self._leftovers.clear()
            failures += 1
            await asyncio.sleep(self._policy.pause(failures))
            if await self.relay_outbox():
                failures = 0

    async def _retry_for_ever(self) -> None:
        while True:
            await self.retry_set_aside()
            await asyncio.sleep(self._set_aside_retry_s)

    async def _set_aside_after(self, place: int) -> Sequence[tuple[int, EncodedEntry]]:
        return await self._store.read(lambda r: self._outbox(r).set_aside_after(place, BATCH))

    async def _accepted(self, entry: EncodedEntry) -> bool:
        try:
            await self._tell(entry)
        except DomainError as error:
            if error.reason in FOR_GOOD:
                return False
            raise
        return True

    async def _relay_all(self) -> bool:
        """Always from the beginning: of entries that come together the first may be seen last."""
        away: set[str] = set()
        staying = 0
        async with self._one_at_a_time:
            while staying < MOST_HELD_UP:
                await self._removed.wait()  # what was told is not told again
                most = staying + BATCH
                entries = await self._first(most)
                staying = await self._tell_those_there(entries, away)
                if len(entries) < most:
                    break
        return not away

    async def _first(self, most: int) -> Sequence[EncodedEntry]:
        return await self._store.read(lambda r: self._outbox(r).first(most), snapshot=False)

    async def _tell_those_there(self, entries: Sequence[EncodedEntry], away: set[str]) -> int:
        """Tell all but those who are ``away``, which others become; returns how many stay."""
        came = await self._tell_all([it for it in entries if it.listener not in away])
        away.update(it.listener for it in came if not it.finished)
        told = [entry_id for it in came for entry_id in it.told]
        if told:
            self._removed.clear()
            self._completion.begin(self._remove(told))
        left = [it for it in entries if it.listener in away]
        return len(left) - sum(len(it.told) for it in came if not it.finished)

    async def _remove(self, told: Sequence[str]) -> None:
        """Nobody waits for it: what is told a second time is known there."""
        try:
            await self._store.write(lambda r: self._outbox(r).remove(told), short=True)
        except DomainError as error:
            log.warning("what was told stays in the outbox for now: %s", error.reason)
            self._leftovers.set()
        finally:
            self._removed.set()

    async def _tell_all(self, entries: Sequence[EncodedEntry]) -> list["_Came"]:
        """Listeners side by side, each in order; returns what came of each."""
        ordered = sorted(entries, key=_listener)  # stable
        listeners = [self._superseding(list(it)) for _, it in itertools.groupby(ordered, _listener)]
        async with asyncio.TaskGroup() as tasks:
            telling = [tasks.create_task(self._tell_in_order(each)) for each in listeners]
        return [task.result() for task in telling]

    async def _tell_in_order(self, entries: Sequence[EncodedEntry]) -> "_Came":
        told: list[str] = []
        for entry in entries:
            try:
                await self._tell(entry)
            except DomainError as error:
                if not await self._settled(entry, error):
                    return _Came(entry.listener, told, finished=False)
            except Exception:
                log.exception("%s was not told of a change", entry.listener)
                return _Came(entry.listener, told, finished=False)
            else:
                told.append(entry.entry_id)
        return _Came(entries[0].listener, told, finished=True)

    async def _settled(self, entry: EncodedEntry, error: DomainError) -> bool:
        """Whether those behind the entry may be told: it was refused for good, and is set aside."""
        if error.reason in FOR_GOOD:
            try:
                await self._set_aside(entry, error)
            except DomainError as away:
                error = away
            else:
                return True
        log.warning("%s was not told of a change: %s", entry.listener, error.reason)
        return False

    async def _set_aside(self, entry: EncodedEntry, error: DomainError) -> None:
        """Take it out of the outbox. From here on another server may tell it."""
        self._known = False
        why, now_us = error.reason.value, int(time.time() * 1e6)
        await self._store.write(lambda r: self._outbox(r).set_aside(entry.entry_id, why, now_us))
        broken = "; ".join(f"{it.field}: {it.description}" for it in error.violations)
        what = "entry %s of the outbox, for %s, is set aside for now: %s %s"
        log.error(what, entry.entry_id, entry.listener or "nobody knows whom", why, broken)

    async def _count(self) -> None:
        self.set_aside = await self._store.read(lambda r: self._outbox(r).count_set_aside())
        self._known = True
        self.changed.set()


@dataclass(frozen=True, slots=True)
class _Came:
    """What a listener was told of; ``finished`` if nothing of the rest has to stay."""

    listener: str
    told: Sequence[str]
    finished: bool


def _listener(entry: EncodedEntry) -> str:
    return entry.listener


def relay_to_log(
    store: Store,
    tell: Callable[[EncodedEntry], Awaitable[None]],
    policy: RetryPolicy = OUTBOX,
    superseding: Superseding = lambda entries: entries,
) -> Relay:
    """Tells the log of changes; no scope waits for another."""
    return Relay(store, lambda r: r.outbox, tell, policy, superseding=superseding)


def relay_to_trail(store: Store, audit: RoleAudit, policy: RetryPolicy = OUTBOX) -> Relay:
    """Tells the audit trail of roles, of all in one order."""
    return Relay(store, lambda r: r.audit_outbox, audit.role_changed, policy)
