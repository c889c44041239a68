"""One scope followed on a stream: a cursor into the log, not a queue."""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from antiphon_server.events.frames import Batch, Created, Ephemeral
from antiphon_server.events.history import history_lost
from antiphon_server.events.hub import Hub, of_kinds
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Cursor, Offset, Scope
from antiphon_server.runtime.errors import DomainError, Reason

MAX_BATCH_EVENTS = 512
MAX_BATCH_BYTES = 900_000
FIRST_BATCH_BYTES = 16_384
"""Of a watch's first batch; each one after it may have twice as many. Whoever is cut off soon has
got something then, and a cursor behind it."""
MAX_EPHEMERAL = 64


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """A client's request to follow a scope. ``from_latest`` applies only without a cursor."""

    watch_id: str
    scope: Scope
    cursor: str = ""
    from_latest: bool = True
    kinds: Collection[int] = ()
    max_batch_events: int = MAX_BATCH_EVENTS
    ephemeral: bool = False


@dataclass(slots=True, eq=False)
class Watch:
    """A watch in place. ``wake`` is called, from the loop, when there may be something."""

    request: WatchRequest
    hub: Hub
    position: Offset
    wake: Callable[["Watch"], None]
    rewound: int
    user_id: str = ""
    """Who watches."""
    _most_bytes: int = FIRST_BATCH_BYTES
    _ephemeral: deque[bytes] | None = None  # most never hear of any

    @classmethod
    async def open(
        cls,
        log: EventLog,
        request: WatchRequest,
        wake: Callable[["Watch"], None],
        user_id: str = "",
    ) -> "Watch":
        """Begin to follow.

        Raises DomainError CURSOR_INVALID, CURSOR_TRIMMED, EPOCH_CHANGED.
        """
        while True:
            hub = await log.live(request.scope)  # a cursor of what is lost is told by no older one
            position, rewound = hub.head, hub.rewound
            if request.cursor or not request.from_latest:
                position = await log.position(request.scope, request.cursor)
            if hub is await log.hub(request.scope):  # it has not given way to others meanwhile
                watch = cls(request, hub, position, wake, rewound, user_id)
                hub.followers.add(watch)
                return watch

    def close(self) -> None:
        """Stop following."""
        self.hub.leave(self)

    @property
    def cursor(self) -> Cursor:
        """The position up to which everything was taken or filtered out."""
        return Cursor(self.hub.epoch, self.position)

    @property
    def pending(self) -> bool:
        """Whether there is something to take."""
        return self._lost or self.position < self.hub.head or bool(self._ephemeral)

    @property
    def _lost(self) -> bool:
        """Whether events were taken, or could have been, that are gone."""
        return self.hub.rewound != self.rewound

    def created(self) -> Created:
        """Say that the watch is in place."""
        request = self.request
        head = Cursor(self.hub.epoch, self.hub.head)
        return Created(request.watch_id, request.scope, self.cursor, head)

    async def take(self, log: EventLog) -> Batch | Ephemeral | None:
        """Everything new, as one batch of bounded size; None if there is nothing.

        Raises DomainError CURSOR_TRIMMED if what comes next was removed, EPOCH_CHANGED if the
        store has lost what it had committed.
        """
        request = self.request
        limit = min(request.max_batch_events or MAX_BATCH_EVENTS, MAX_BATCH_EVENTS)
        while self._lost or self.position < self.hub.head:
            if self._lost:
                raise await self._history_lost(log)
            found = self.hub.after(self.position, limit, self._most_bytes)
            if found is None:
                cuts = self.hub.cuts
                page = await log.stored(
                    request.scope, self.position, limit, request.kinds, self._most_bytes
                )
                if cuts != self.hub.cuts:
                    continue  # it may be from before
                if not page.records and page.position <= self.position:
                    await log.live(request.scope)  # so that the others here learn it, too
                    raise await self._history_lost(log)
                records, self.position = page.records, page.position
            else:
                records, self.position = of_kinds(found[0], request.kinds), found[1]
            if records:
                self._most_bytes = min(2 * self._most_bytes, MAX_BATCH_BYTES)
                return Batch(request.watch_id, request.scope, records, self.cursor)
        if self._ephemeral:
            body = self._ephemeral.popleft()
            return Ephemeral(request.watch_id, request.scope, body, self.cursor)
        return None

    async def _history_lost(self, log: EventLog) -> DomainError:
        head = await log.head(self.request.scope)
        return history_lost(Reason.EPOCH_CHANGED, self.request.scope, head)

    def seen_by(self, user_id: str, kind: int) -> bool:
        """See :class:`~antiphon_server.events.hub.Follower`."""
        return self.user_id == user_id and (not self.request.kinds or kind in self.request.kinds)

    def notify(self) -> None:
        """See :class:`~antiphon_server.events.hub.Follower`."""
        self.wake(self)

    def send_ephemeral(self, body: bytes) -> None:
        """See :class:`~antiphon_server.events.hub.Follower`."""
        if self.request.ephemeral:
            if self._ephemeral is None:
                self._ephemeral = deque(maxlen=MAX_EPHEMERAL)
            self._ephemeral.append(body)
            self.wake(self)
