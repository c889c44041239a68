"""Reads what other nodes write into the log of nodes: in order, and again if one failed."""

from collections.abc import Callable

from antiphon_server.events.history import history_was_lost
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import NODES, Offset, Page
from antiphon_server.events.node_messages import NodeMessage, node_message_of
from antiphon_server.events.wakeup import Wakeup
from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import SOON
from antiphon_server.runtime.errors import DomainError

PAGE_EVENTS = 500


class NodeMessageReader:
    """A follower of the log of nodes. Call :meth:`begin`, then run ``run``.

    ``lost`` is called where messages are gone that nobody can tell any more: this node was
    stopped for so long that they were removed, or the store has lost them.
    """

    def __init__(
        self, log: EventLog, on_message: Callable[[NodeMessage], None], lost: Callable[[], None]
    ) -> None:
        self._log = log
        self._on_message = on_message
        self._lost = lost
        self._wakeup = Wakeup()
        self._position = Offset(0)
        self._rewound = 0

    async def begin(self) -> None:
        """Note where to begin, before anybody is served: from here on no message is missed."""
        hub = await self._log.live(NODES)
        self._position, self._rewound = hub.head, hub.rewound
        hub.followers.add(self)

    def notify(self) -> None:
        """See :class:`~antiphon_server.events.hub.Follower`."""
        self._wakeup.set()

    def seen_by(self, user_id: str, kind: int) -> bool:
        """See :class:`~antiphon_server.events.hub.Follower`."""
        return False

    def send_ephemeral(self, body: bytes) -> None:
        """See :class:`~antiphon_server.events.hub.Follower`; nodes say nothing ephemeral."""

    async def run(self) -> None:
        """Read, until cancelled."""
        while True:
            await self._wakeup.wait()
            self._wakeup.clear()
            # PeerCommits say that the store can't be read.
            await retrying(self._read_all, SOON, DomainError)

    async def _read_all(self) -> None:
        while (page := await self._next()) is not None and page.records:
            for record in page.records:
                message = node_message_of(record)
                if message is not None:
                    self._on_message(message)
            self._position = page.position  # when all are handled: what fails comes again

    async def _next(self) -> Page | None:
        """What has come since; None if that is lost."""
        hub = await self._log.hub(NODES)
        if hub.rewound != self._rewound:
            self._position, self._rewound = hub.head, hub.rewound
            self._lost()
            return None
        try:
            return await self._log.read_local(NODES, self._position, PAGE_EVENTS)
        except DomainError as error:
            if not history_was_lost(error):
                raise
            self._position = (await self._log.head(NODES)).last
            self._lost()
            return None
