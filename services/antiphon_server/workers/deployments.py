"""Of what deployments workers are, in which versions: stored, and known to every server."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping

from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import TURN
from antiphon_server.runtime.concurrency.tasks import TaskSet, every
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found
from antiphon_server.runtime.telemetry.structured import structlog
from antiphon_server.workers.frames import Introduction
from antiphon_server.workers.model import Begun, Parent, Release, Rollout, VersionsOf
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.ports import VersionStore
from antiphon_server.workers.versions import AWAY_S, Versions

LOOK_S = 0.5
"""How often a server looks whether others have changed something."""
NOTE_S = 10.0
"""How often it stores which versions are there, and forgets some that are gone."""
FORGOTTEN_AT_ONCE = 500
_AWAY = frozenset({Reason.STORE_UNAVAILABLE, Reason.OVERLOADED, Reason.DEADLINE_EXCEEDED})

log = structlog.get_logger(__name__)


class Deployments:
    """What the store has of versions, and what the pool has of their workers.

    A version is stored before its first worker is given a turn, and again while one is there. One
    that was not for ``AWAY_S`` and that no open turn has is forgotten, by whichever server looks
    first: no more than it takes is ever counted, since there is an index of open turns alone.
    """

    def __init__(self, store: VersionStore, versions: Versions, pool: Pool) -> None:
        self._store, self._versions, self._pool = store, versions, pool
        self._changes = -1
        self._reading = asyncio.Lock()
        self._noting = TaskSet()

    async def came(self, worker: Introduction, parents: Mapping[str, frozenset[str]]) -> None:
        """Store that a worker of that version is there, unless that is known.

        Raises DomainError LIMIT_EXCEEDED if no parent of its handlers has room for it.
        """
        now = time.time()
        keys = _keys(worker.release, parents)
        known = [self._versions.known(*key) for key in keys]
        if not all(it is not None and now - it.seen_us / 1e6 < NOTE_S for it in known):
            async with self._reading:  # what is read meanwhile may not have them
                self._versions.add(await self._store.register(keys))

    def begin(self, begun: Begun) -> None:
        """See :meth:`BegunTurns.begin`."""
        self._noting.spawn(f"version of {begun.turn_id}", self._begin(begun))

    async def set(self, rollout: Rollout, etag: str) -> None:
        """Say which versions begin turns.

        Raises DomainError NOT_FOUND, INVALID_ARGUMENT, ETAG_MISMATCH.
        """
        stored = await self._store.of(rollout.parent)
        _check(rollout, stored)
        await self._store.set(rollout, etag)
        await self.refresh()

    async def of(self, parent: Parent) -> VersionsOf:
        """A parent's, as they are stored now."""
        return await self._store.of(parent)

    def workers(self, parent: Parent) -> Counter[Release]:
        """How many workers of each version serve a parent's handlers, on all servers."""
        there = (it for it in self._pool.all if any(parent in its for its in it.parents.values()))
        return Counter(it.worker.release for it in there)

    def current(self, parent: Parent, deployment: str, stored: VersionsOf) -> str | None:
        """Which version is current, or would be if it had a worker; None if there is none."""
        for it in stored.rollouts:
            if it.deployment == deployment:
                return it.current
        there = {it.version for it in self.workers(parent) if it.deployment == deployment}
        known = {it.version for it in stored.seen if it.deployment == deployment}
        return self._versions.current(parent, deployment, there & known or known)

    async def refresh(self) -> None:
        """Read all anew if something was changed."""
        async with self._reading:
            changes = await self._store.changes()
            if changes != self._changes:
                self._versions.learn(*await self._store.all())
                self._changes = changes
                self._pool.serve()

    async def look_for_changes(self) -> None:
        """Look regularly whether anybody has changed something, until cancelled."""
        await every(LOOK_S, self.refresh, at_once=False)

    async def note(self) -> None:
        """Store regularly which versions are there, and forget what is gone, until cancelled."""
        await every(NOTE_S, self.look, at_once=False)

    async def look(self) -> None:
        """Do that once."""
        here = self._pool.sessions
        keys = {key for it in here for key in _keys(it.worker.release, it.parents)}
        async with self._reading:
            self._versions.add(await self._store.seen(keys))
        before_us = round((time.time() - AWAY_S) * 1e6)
        if await self._store.forget_gone(before_us, FORGOTTEN_AT_ONCE):
            await self.refresh()

    async def close(self) -> None:
        """Leave what is not stored yet: it is counted too low until the turn's next attempt."""
        await self._noting.stop()

    async def _begin(self, begun: Begun) -> None:
        try:
            store = self._store
            await retrying(
                lambda: store.begin(begun), TURN, DomainError, lambda it: it.reason in _AWAY
            )
        except DomainError as error:
            log.warning("a turn's version was not stored", turn_id=begun.turn_id, why=error.reason)


def _keys(
    release: Release, parents: Mapping[str, frozenset[str]]
) -> frozenset[tuple[Parent, Release]]:
    return frozenset((Parent(parent), release) for its in parents.values() for parent in its)


def _check(rollout: Rollout, stored: VersionsOf) -> None:
    known = {it.version for it in stored.seen if it.deployment == rollout.deployment}
    before = [it for it in stored.rollouts if it.deployment == rollout.deployment]
    if rollout in before:
        return
    if not known and not before:
        raise not_found(f"deployment {rollout.deployment}")
    if not rollout.current and (rollout.ramping or rollout.percent):
        raise invalid("ramping_version", "there is none while it is automatic")
    if rollout.current and rollout.current not in known:
        raise invalid("current_version", "no such version is there")
    if rollout.percent and not rollout.ramping:
        raise invalid("ramping_percent", "of which version? ramping_version is empty")
    if rollout.ramping and rollout.ramping not in known:
        raise invalid("ramping_version", "no such version is there")
    if rollout.ramping and rollout.ramping == rollout.current:
        raise invalid("ramping_version", "it is the current one")
