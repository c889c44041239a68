"""The log: appends committed in groups, reads from the ring or the store."""

import asyncio
import hashlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

from antiphon_server.events.history import history_lost
from antiphon_server.events.hub import IDLE_EVENTS, Hub, of_kinds
from antiphon_server.events.hubs import Hubs
from antiphon_server.events.model import (
    NODES,
    AccessChange,
    Append,
    Appended,
    Commit,
    Cursor,
    Fence,
    Head,
    NewEvent,
    Offset,
    Page,
    Record,
    Redaction,
    Scope,
)
from antiphon_server.events.node_messages import AccessChanged, events_of
from antiphon_server.events.peer_commits import MAX_EVENTS, LookTimes, PeerCommits
from antiphon_server.events.ports import Bus, LogStore
from antiphon_server.events.wire import placed
from antiphon_server.runtime.errors import DomainError, Reason

MAX_WAITING = 10_000
MAX_WAITING_BYTES = 64 << 20
MAX_GROUP = 512
MAX_PAGE_BYTES = 1 << 20
REQUESTS_KEPT_S = 25 * 3600
NODE_MESSAGES_KEPT = 10_000
TOLD_AT_ONCE = 1000
NOTE_PAUSE_S = 0.02

log = logging.getLogger(__name__)


class EventLog:
    """The logs of all scopes, as seen by this node.

    Appends are committed only while ``run`` is running. ``on_access_change`` is called with
    committed events that take access away. With a ``bus``, other nodes append to the same store:
    then ``peer_commits`` must be running too, and reads are as recent as the store. Waiting
    appends hold at most ``most_bytes``.
    """

    def __init__(
        self,
        store: LogStore,
        on_access_change: Callable[[AccessChange], None] = lambda change: None,
        clock: Callable[[], float] = time.time,
        bus: Bus | None = None,
        *,
        most_bytes: int = MAX_WAITING_BYTES,
        hubs: Hubs | None = None,
        look_times: LookTimes | None = None,
    ) -> None:
        self._store = store
        self._on_access_change = on_access_change
        self._clock = clock
        self._hubs = hubs or Hubs()
        self.peer_commits = (
            PeerCommits(store, self._hubs, bus, look_times) if bus is not None else None
        )
        self._waiting: deque[tuple[Append, asyncio.Future[Appended]]] = deque()
        self._waiting_bytes = 0
        self._most_bytes = most_bytes
        self._wake = asyncio.Event()
        self._closed = False

    async def append(
        self,
        scope: Scope,
        events: Sequence[NewEvent],
        request_id: str = "",
        fence: Fence | None = None,
        fold: str = "",
        *,
        stops: bool = False,
        redaction: Redaction | None = None,
    ) -> Appended:
        """Commit ``events``, all or none, and return their place once they are on disk.

        ``fold`` names a turn that ends with them, ``stops`` is how, and ``redaction`` takes words
        out of others; see :class:`Append`. Without events, only the ``fence`` is raised, and the
        end of the log is returned.

        Raises DomainError FENCED, REQUEST_ID_REUSED, OVERLOADED, STORE_UNAVAILABLE.
        """
        if self._closed:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        size = _size(events)
        if len(self._waiting) >= MAX_WAITING or self._waiting_bytes + size > self._most_bytes:
            raise DomainError(Reason.OVERLOADED, resource="log", retry_after=1.0)
        append = Append(
            scope,
            events,
            time_us=int(self._clock() * 1e6),
            request_id=request_id,
            digest=_digest(events) if request_id else b"",
            fence=fence,
            fold=fold,
            stops=stops,
            redaction=redaction,
        )
        done: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._waiting.append((append, done))
        self._waiting_bytes += size
        self._wake.set()
        return await done

    @property
    def waiting(self) -> int:
        """How many appends are waiting for their commit."""
        return len(self._waiting)

    @property
    def ring_bytes(self) -> int:
        """How many bytes all rings hold."""
        return self._hubs.ring_bytes

    async def run(self) -> None:
        """Commit waiting appends in groups, until :meth:`close` is called and none is waiting."""
        while self._waiting or not self._closed:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            size = min(len(self._waiting), MAX_GROUP)
            group = [self._waiting.popleft() for _ in range(size)]
            await self._commit(group)
            # Not when the caller goes: what it appended is held until it is committed.
            self._waiting_bytes -= sum(_size(append.events) for append, _ in group)

    def close(self) -> None:
        """Refuse new appends. :meth:`run` returns after the accepted ones are committed."""
        self._closed = True
        self._wake.set()

    async def _commit(self, group: list[tuple[Append, asyncio.Future[Appended]]]) -> None:
        batch = [append for append, _ in group]
        if self.peer_commits is not None:
            batch += self._words(batch)
        results = await self._append_all(batch)
        for append, result in zip(batch, results, strict=True):
            if append.events and isinstance(result, Appended) and not result.duplicate:
                self._publish(append, result)
        for (_, done), result in zip(group, results, strict=False):
            _resolve(done, result)

    def _words(self, batch: Sequence[Append]) -> list[Append]:
        """What other nodes have to hear of in the same commit: whose access changes."""
        changes = [it.access_change for append in batch for it in append.events]
        messages = [AccessChanged(it.user_id, it.session_id) for it in changes if it is not None]
        return [Append(NODES, events_of(messages), batch[-1].time_us)] if messages else []

    async def _append_all(self, batch: Sequence[Append]) -> Sequence[Appended | DomainError]:
        """Commit the batch; a defect of the store fails the batch and not the log."""
        try:
            return await self._store.append(batch)
        except DomainError as error:
            return [error] * len(batch)
        except Exception:
            log.exception("a batch could not be appended")
            return [DomainError(Reason.STORE_UNAVAILABLE)] * len(batch)

    def _publish(self, append: Append, place: Appended) -> None:
        records = [
            placed(event.kind, event.body, Offset(offset), Offset(offset), append.time_us)
            for offset, event in enumerate(append.events, place.first)
        ]
        hub = self._hubs.get(append.scope)
        if hub is None:
            hub = self._hubs.make(append.scope, place.epoch, Offset(place.first - 1))
        cut = (append.stops and place.folded) or append.redaction is not None
        if self.peer_commits is None:
            hub.publish(records)
        else:
            commit = Commit(append.scope, place.epoch, place.last, records)
            self.peer_commits.send_commit(commit, from_store=cut)
        if cut:
            hub.forget_before(Offset(place.first))
        for event in append.events:
            if event.access_change is not None:
                self._on_access_change(event.access_change)

    async def hub(self, scope: Scope) -> Hub:
        """The hub of a scope, which passes what this node commits from now on to followers."""
        hub = self._hubs.used(scope)
        if hub is not None:
            return hub
        head = await self._store.head(scope)
        # A commit during the read has made the hub already, with a later head.
        return self._hubs.get(scope) or self._hubs.make(scope, head.epoch, head.last)

    def watched_by(self, user_id: str, scope: Scope, kind: int) -> bool:
        """Whether that user is known to follow events of that kind: those on other nodes aren't."""
        hub = self._hubs.get(scope)
        return hub is not None and hub.watched_by(user_id, kind)

    async def live(self, scope: Scope) -> Hub:
        """The hub of a scope, brought up to date with the store.

        It then also has what other nodes committed.
        """
        hub = await self.hub(scope)
        if self.peer_commits is None:
            return hub
        await self.peer_commits.look([scope])
        while hub is not self._hubs.get(scope):  # it gave way to others meanwhile
            hub = await self.hub(scope)
            await self.peer_commits.look([scope])
        return hub

    async def _fresh(self, scope: Scope) -> Hub:
        """What is known of the scope, as new as the store."""
        hub = self._hubs.used(scope)
        if hub is None:
            return await self.hub(scope)
        if self.peer_commits is not None:
            await self.peer_commits.look([scope], MAX_EVENTS if hub.followers else IDLE_EVENTS)
        return hub

    def send_ephemeral(self, scope: Scope, body: bytes) -> None:
        """Send something that is not stored to the current followers of a scope."""
        hub = self._hubs.get(scope)
        if hub is not None:
            hub.send_ephemeral(body)
        if self.peer_commits is not None:
            self.peer_commits.send_ephemeral(scope, body)

    async def head(self, scope: Scope) -> Head:
        """Where the log begins and ends."""
        return await self._store.head(scope)

    async def moved_from(self, places: Mapping[Scope, str]) -> Sequence[Scope]:
        """The scopes whose logs don't end at that cursor; see :meth:`LogStore.moved_from`."""
        return await self._store.moved_from(places)

    async def position(self, scope: Scope, cursor: str) -> Offset:
        """The offset that a client's cursor refers to; 0 for an empty cursor.

        Raises DomainError CURSOR_INVALID, CURSOR_TRIMMED, EPOCH_CHANGED.
        """
        position = Cursor.decode(scope, cursor) if cursor else None
        hub = await self.hub(scope)
        if position and position.epoch == hub.epoch and hub.covers(position.offset):
            return position.offset
        head = await self._store.head(scope)
        if position is None:
            return Offset(head.earliest - 1)
        if position.epoch != head.epoch or position.offset > head.last:
            raise history_lost(Reason.EPOCH_CHANGED, scope, head)
        if position.offset + 1 < head.earliest:
            raise history_lost(Reason.CURSOR_TRIMMED, scope, head)
        return position.offset

    async def read(
        self,
        scope: Scope,
        after: Offset,
        max_events: int,
        kinds: Collection[int] = (),
        max_bytes: int = MAX_PAGE_BYTES,
    ) -> Page:
        """Events after ``after``, from the ring if it holds them, otherwise from the store.

        Raises DomainError CURSOR_TRIMMED if they were removed, and EPOCH_CHANGED if the store has
        lost the event before them.
        """
        hub = await self._fresh(scope)
        if after > hub.head:
            raise history_lost(Reason.EPOCH_CHANGED, scope, await self._store.head(scope))
        found = hub.after(after, max_events, max_bytes)
        if found is not None:
            records, position = found
            return Page(of_kinds(records, kinds), position, position >= hub.head)
        return await self.stored(scope, after, max_events, kinds, max_bytes)

    async def read_local(self, scope: Scope, after: Offset, max_events: int) -> Page:
        """Like :meth:`read`, but without asking the store for commits of other nodes first."""
        hub = await self.hub(scope)
        found = hub.after(after, max_events, MAX_PAGE_BYTES)
        if found is not None:
            return Page(found[0], found[1], found[1] >= hub.head)
        return await self.stored(scope, after, max_events, (), MAX_PAGE_BYTES)

    async def stored(
        self,
        scope: Scope,
        after: Offset,
        max_events: int,
        kinds: Collection[int],
        max_bytes: int,
    ) -> Page:
        """Like :meth:`read`, but always from the store."""
        page = await self._store.read(scope, after, max_events, max_bytes, kinds)
        head = await self._store.head(scope)
        if after + 1 < head.earliest:
            raise history_lost(Reason.CURSOR_TRIMMED, scope, head)
        return page

    async def told_of(self, resource: str) -> AsyncIterator[tuple[Scope, Record]]:
        """The events that tell of a conversation as a whole; see :meth:`LogStore.told_of`."""
        after: tuple[Scope, Offset] | None = None
        while True:
            page = await self._store.told_of(resource, after, TOLD_AT_ONCE)
            for scope, record in page:
                yield scope, record
            if len(page) < TOLD_AT_ONCE:
                return
            after = page[-1][0], page[-1][1].last

    async def note_told(self) -> None:
        """See :meth:`LogStore.note_told`; what else is appended does not wait for it."""
        await self._store.note_told(NOTE_PAUSE_S)

    async def scrub(self) -> None:
        """Return when no file holds what was removed; see :meth:`Database.scrub`."""
        await self._store.scrub()

    async def fold(self, scope: Scope, turn_id: str) -> int:
        """Remove a finished turn's text deltas; see :meth:`LogStore.fold`."""
        folded = await self._store.fold(scope, turn_id)
        hub = self._hubs.get(scope)
        if hub is not None:  # an append may have folded it, and left its deltas in the ring
            hub.forget_before(Offset((folded.up_to if folded.removed else hub.head) + 1))
        return folded.removed

    async def trim(self, scope: Scope, before: Offset) -> Offset:
        """Remove the oldest events; see :meth:`LogStore.trim`."""
        return await self._store.trim(scope, before)

    async def forget_requests(self) -> int:
        """Drop request ids older than the contract's promise.

        Messages that all nodes have read are dropped too.
        """
        if self.peer_commits is not None:
            head = await self._store.head(NODES)
            await self._store.trim(NODES, Offset(head.last - NODE_MESSAGES_KEPT))
        return await self._store.forget_requests(int((self._clock() - REQUESTS_KEPT_S) * 1e6))


def _size(events: Sequence[NewEvent]) -> int:
    return sum(len(event.body) for event in events)


def _digest(events: Sequence[NewEvent]) -> bytes:
    digest = hashlib.sha256()
    for event in events:
        digest.update(len(event.body).to_bytes(4, "big"))
        digest.update(event.body)
    return digest.digest()


def _resolve(done: asyncio.Future[Appended], result: Appended | DomainError) -> None:
    if done.done():  # the caller was cancelled; the commit stands
        return
    if isinstance(result, DomainError):
        done.set_exception(result)
    else:
        done.set_result(result)
