"""The log: appends committed in groups, reads from the ring or the store."""

import asyncio
import hashlib
import itertools
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Sequence

from antiphon_server.events.hub import Hub, RingBudget, of_kinds
from antiphon_server.events.model import (
    AccessChange,
    Append,
    Appended,
    Cursor,
    Epoch,
    Fence,
    Head,
    NewEvent,
    Offset,
    Page,
    Scope,
)
from antiphon_server.events.ports import LogStore
from antiphon_server.events.wire import placed
from antiphon_server.runtime.errors import DomainError, Reason

MAX_WAITING = 10_000
MAX_WAITING_BYTES = 64 << 20
MAX_GROUP = 512
MAX_HUBS = 1024
MAX_PAGE_BYTES = 1 << 20
REQUESTS_KEPT_S = 25 * 3600

log = logging.getLogger(__name__)


class EventLog:
    """All scopes' logs on this node.

    ``run`` must be running for appends to be committed. ``on_access_change`` is told
    of committed events that take access away.
    """

    def __init__(
        self,
        store: LogStore,
        on_access_change: Callable[[AccessChange], None] = lambda change: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._on_access_change = on_access_change
        self._clock = clock
        self._budget = RingBudget()
        self._hubs: OrderedDict[Scope, Hub] = OrderedDict()
        self._waiting: deque[tuple[Append, asyncio.Future[Appended]]] = deque()
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._closed = False

    async def append(
        self,
        scope: Scope,
        events: Sequence[NewEvent],
        request_id: str = "",
        fence: Fence | None = None,
        fold: str = "",
    ) -> Appended:
        """Commit ``events``, all or none, and return where they went, once on disk.

        ``fold`` is a turn that ends with them; see :class:`Append`.

        Raises DomainError FENCED, REQUEST_ID_REUSED, OVERLOADED, STORE_UNAVAILABLE.
        """
        if self._closed:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        size = _size(events)
        if len(self._waiting) >= MAX_WAITING or self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise DomainError(Reason.OVERLOADED, resource="log", retry_after=1.0)
        append = Append(
            scope,
            events,
            time_us=int(self._clock() * 1e6),
            request_id=request_id,
            digest=_digest(events) if request_id else b"",
            fence=fence,
            fold=fold,
        )
        done: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._waiting.append((append, done))
        self._waiting_bytes += size
        self._wake.set()
        return await done

    @property
    def waiting(self) -> int:
        """How many appends wait for their commit."""
        return len(self._waiting)

    @property
    def ring_bytes(self) -> int:
        """What all rings hold."""
        return self._budget.used

    async def run(self) -> None:
        """Commit what waits, group by group, until :meth:`close` and nothing waits."""
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
        """Accept no more appends; :meth:`run` returns when those accepted are committed."""
        self._closed = True
        self._wake.set()

    async def _commit(self, group: list[tuple[Append, asyncio.Future[Appended]]]) -> None:
        results = await self._append_all([append for append, _ in group])
        for (append, done), result in zip(group, results, strict=True):
            if isinstance(result, Appended) and not result.duplicate:
                self._publish(append, result)
            _resolve(done, result)

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
            hub = self._keep(append.scope, self._hub(place.epoch, Offset(place.first - 1)))
        hub.publish(records)
        for event in append.events:
            if event.access_change is not None:
                self._on_access_change(event.access_change)

    async def hub(self, scope: Scope) -> Hub:
        """The scope's live end; what is committed from now on reaches its followers."""
        hub = self._hubs.get(scope)
        if hub is not None:
            self._hubs.move_to_end(scope)
            return hub
        head = await self._store.head(scope)
        # A commit during the read has made the hub already, with a later head.
        return self._hubs.get(scope) or self._keep(scope, self._hub(head.epoch, head.last))

    def _hub(self, epoch: Epoch, head: Offset) -> Hub:
        return Hub(epoch, head, self._budget)

    def _keep(self, scope: Scope, hub: Hub) -> Hub:
        self._hubs[scope] = hub
        if len(self._hubs) > MAX_HUBS:
            idle = (name for name, it in self._hubs.items() if not it.followers and name != scope)
            for name in list(itertools.islice(idle, 16)):
                self._hubs.pop(name).clear()
        return hub

    def tell(self, scope: Scope, body: bytes) -> None:
        """Tell those who follow the scope now something that is not kept."""
        hub = self._hubs.get(scope)
        if hub is not None:
            for follower in hub.followers:
                follower.tell(body)

    async def head(self, scope: Scope) -> Head:
        """Where the log begins and ends."""
        return await self._store.head(scope)

    async def position(self, scope: Scope, cursor: str) -> Offset:
        """The offset that a client's cursor stands for; 0 for none.

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
        """Events after ``after``: from the ring if it has them, else from the store.

        Raises DomainError CURSOR_TRIMMED if they were removed.
        """
        hub = await self.hub(scope)
        found = hub.after(after, max_events, max_bytes)
        if found is not None:
            records, position = found
            return Page(of_kinds(records, kinds), position, position >= hub.head)
        page = await self._store.read(scope, after, max_events, max_bytes, kinds)
        head = await self._store.head(scope)
        if after + 1 < head.earliest:
            raise history_lost(Reason.CURSOR_TRIMMED, scope, head)
        return page

    async def fold(self, scope: Scope, turn_id: str) -> int:
        """Remove a finished turn's text deltas; see :meth:`LogStore.fold`."""
        return await self._store.fold(scope, turn_id)

    async def trim(self, scope: Scope, before: Offset) -> Offset:
        """Remove the oldest events; see :meth:`LogStore.trim`."""
        return await self._store.trim(scope, before)

    async def forget_requests(self) -> int:
        """Drop request ids that are older than the contract promises to keep them."""
        return await self._store.forget_requests(int((self._clock() - REQUESTS_KEPT_S) * 1e6))


def history_lost(reason: Reason, scope: Scope, head: Head) -> DomainError:
    """What a client is told whose position is gone: where it can begin again."""
    earliest = Cursor(head.epoch, Offset(head.earliest - 1)).encode(scope)
    return DomainError(reason, scope=scope, earliest_offset=head.earliest, earliest_cursor=earliest)


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
