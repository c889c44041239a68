"""Hears what other nodes say in the log of nodes: each word once, in order."""

from collections.abc import Callable, Sequence

from antiphon_server.events.bell import Bell
from antiphon_server.events.history import history_was_lost
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import NODES, Offset, Record
from antiphon_server.events.words import Word, word_of
from antiphon_server.runtime.concurrency.patience import SOON
from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.errors import DomainError

PAGE = 500


class NodeWords:
    """A follower of the log of nodes. Call :meth:`begin`, then run ``run``.

    ``lost`` is called where words are gone that nobody can tell any more: this node was
    stopped for so long that they were removed, or the store has lost them.
    """

    def __init__(
        self, log: EventLog, hear: Callable[[Word], None], lost: Callable[[], None]
    ) -> None:
        self._log = log
        self._hear = hear
        self._lost = lost
        self._bell = Bell()
        self._position = Offset(0)
        self._rewound = 0

    async def begin(self) -> None:
        """Note where to begin, before anybody is served: from here on no word is missed."""
        hub = await self._log.live(NODES)
        self._position, self._rewound = hub.head, hub.rewound
        hub.followers.add(self)

    def notify(self) -> None:
        """See :class:`~antiphon_server.events.hub.Follower`."""
        self._bell.ring()

    def tell(self, body: bytes) -> None:
        """See :class:`~antiphon_server.events.hub.Follower`; nodes say nothing ephemeral."""

    async def run(self) -> None:
        """Hear, until cancelled."""
        while True:
            await self._bell.heard()
            self._bell.silence()
            # Neighbours say that the store can't be read.
            await retrying(self._hear_all, SOON, DomainError)

    async def _hear_all(self) -> None:
        while records := await self._next():
            for record in records:
                word = word_of(record)
                if word is not None:
                    self._hear(word)

    async def _next(self) -> Sequence[Record]:
        hub = await self._log.hub(NODES)
        if hub.rewound != self._rewound:
            self._position, self._rewound = hub.head, hub.rewound
            self._lost()
            return ()
        try:
            page = await self._log.heard(NODES, self._position, PAGE)
        except DomainError as error:
            if not history_was_lost(error):
                raise
            self._position = (await self._log.head(NODES)).last
            self._lost()
            return ()
        self._position = page.position
        return page.records
