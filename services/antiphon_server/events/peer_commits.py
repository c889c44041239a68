"""Keeps what this node knows of the log up with what others commit to the same store."""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from antiphon_server.events.hubs import Hubs
from antiphon_server.events.model import NODES, Commit, Scope
from antiphon_server.events.ports import Bus, LogStore
from antiphon_server.events.wakeup import Wakeup
from antiphon_server.runtime.errors import DomainError

AT_ONCE = 500
MAX_EVENTS = 1024
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LookTimes:
    """How often the store is looked into, in seconds."""

    short_s: float = 0.25
    """While the bus does not carry."""
    long_s: float = 5.0
    """And while it does."""
    gap_s: float = 0.005
    """What is missing comes by itself within this time, or is read."""

    @property
    def nodes_s(self) -> float:
        """While it does, for what takes access away: that must be known within a second, also of
        a server that has died between its commit and its message. A multiple of how often it comes
        round: anything between would mean the next.
        """
        return 2 * self.short_s


class PeerCommits:
    """The other nodes on this node's store, as the log sees them.

    ``run`` has to run. What the bus brings in order is taken as it is. Where something is
    missing the store is read: for all such scopes at once, and for the scopes that somebody
    follows now and then anyway.
    """

    def __init__(
        self, store: LogStore, hubs: Hubs, bus: Bus, times: LookTimes | None = None
    ) -> None:
        self._times = times or LookTimes()
        self._store = store
        self._hubs = hubs
        self._bus = bus
        self._wakeup = Wakeup()
        self._gaps: set[Scope] = set()
        self._missed = False
        self._looked = 0.0
        self._looked_at_nodes = 0.0
        self._reads = True

    @property
    def connected(self) -> bool:
        """Whether what others commit comes by itself now."""
        return self._bus.connected

    def send_commit(self, commit: Commit, *, from_store: bool = False) -> None:
        """Take what was committed here, and tell the others.

        Of some only that there is something, for the others to take ``from_store``: what has
        replaced events that they know, and of their own log what takes access away, or speaks in
        somebody's name.
        """
        self._take(commit)
        alone = from_store or commit.scope == NODES
        self._bus.send_commit(_without_records(commit) if alone else commit)

    def send_ephemeral(self, scope: Scope, body: bytes) -> None:
        """Tell the others something that is not kept."""
        self._bus.send_ephemeral(scope, body)

    def on_commit(self, commit: Commit) -> None:
        """See :class:`~antiphon_server.events.ports.BusListener`."""
        self._take(_without_records(commit) if commit.scope == NODES else commit)

    def _take(self, commit: Commit) -> None:
        hub = self._hubs.get(commit.scope)
        if hub is None or hub.epoch != commit.epoch or hub.head >= commit.last:
            return
        if commit.records and commit.records[0].first <= hub.head + 1:
            hub.publish(commit.records)
        elif hub.followers:
            self._gaps.add(commit.scope)
            self._wakeup.set()
        else:
            hub.skip(commit.last)

    def on_ephemeral(self, scope: Scope, body: bytes) -> None:
        """See :class:`~antiphon_server.events.ports.BusListener`."""
        hub = self._hubs.get(scope)
        if hub is not None:
            hub.send_ephemeral(body)

    def on_missed(self) -> None:
        """See :class:`~antiphon_server.events.ports.BusListener`."""
        self._missed = True
        self._wakeup.set()

    async def run(self) -> None:
        """Keep up, until cancelled."""
        store = await self._name_of_store()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._bus.run(store, self), name="log.bus")
            tasks.create_task(self._keep_up(), name="log.news")

    async def look(self, scopes: Sequence[Scope], max_events: int = MAX_EVENTS) -> None:
        """Bring the hubs of ``scopes`` up to what is committed now.

        Or back to it: what a store in another's place has not got is lost, though it was
        acknowledged.
        Raises DomainError STORE_UNAVAILABLE.
        """
        hubs = {scope: hub for scope in scopes if (hub := self._hubs.get(scope)) is not None}
        if not hubs:
            return
        after = {scope: hub.head for scope, hub in hubs.items()}
        for commit in await self._store.commits_after(after, max_events):
            hub = hubs[commit.scope]
            if commit.epoch != hub.epoch or commit.last < after[commit.scope]:
                log.error("the store has lost the newest events of %s", commit.scope)
                hub.rewind(commit.epoch, commit.last)
            else:
                hub.publish(commit.records)
                hub.skip(commit.last)

    async def _name_of_store(self) -> str:
        """The same for all nodes on it, and for nobody else."""
        while True:
            try:
                return (await self._store.head(NODES)).epoch
            except DomainError as error:
                self._set_readable(error)
                await asyncio.sleep(self._times.short_s)

    async def _keep_up(self) -> None:
        while True:
            await self._wait()
            scopes = self._due()
            try:
                for start in range(0, len(scopes), AT_ONCE):
                    await self.look(scopes[start : start + AT_ONCE])
            except DomainError as error:
                self._missed = True
                self._set_readable(error)
                await asyncio.sleep(self._times.short_s)
            else:
                self._set_readable(None)

    def _set_readable(self, error: DomainError | None) -> None:
        if self._reads and error is not None:
            log.error("what other nodes commit can't be read (%s); trying on", error.reason)
        if not self._reads and error is None:
            log.warning("what other nodes commit can be read again")
        self._reads = error is None

    async def _wait(self) -> None:
        """Until something is missing, and a little longer; or until it is time to look anyway."""
        try:
            async with asyncio.timeout(self._times.short_s):
                await self._wakeup.wait()
        except TimeoutError:
            return
        finally:
            self._wakeup.clear()
        await asyncio.sleep(self._times.gap_s)

    def _due(self) -> Sequence[Scope]:
        """Where to look now."""
        gaps, self._gaps = self._gaps, set()
        now, times = time.monotonic(), self._times
        if self._missed or now - self._looked >= (
            times.long_s if self.connected else times.short_s
        ):
            self._missed, self._looked, self._looked_at_nodes = False, now, now
            return self._hubs.followed()
        if gaps or now - self._looked_at_nodes >= times.nodes_s:
            self._looked_at_nodes = now
            return _with_nodes(gaps)
        return ()


def _without_records(commit: Commit) -> Commit:
    return replace(commit, records=())


def _with_nodes(scopes: Collection[Scope]) -> Sequence[Scope]:
    """What takes access away must not wait for long, whatever became of the bus."""
    return [NODES, *(scope for scope in scopes if scope != NODES)]
