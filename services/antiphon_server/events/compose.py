"""The composition root's slice for the log: every concrete class in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.follows import Follows
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import AccessChange
from antiphon_server.events.node_words import NodeWords
from antiphon_server.events.ports import Bus
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.events.words import Changed, Word
from antiphon_server.runtime.access.gatekeeper import PolicyGatekeeper
from antiphon_server.runtime.access.rules import AccessPolicy, TokenVerifier
from antiphon_server.runtime.concurrency.tasks import every, first_of
from antiphon_server.runtime.storage.availability import Availability
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.redis import Redis

VERSIONS = Path(__file__).parent / "adapters" / "migrations" / "versions"
FORGET_EVERY_S = 3600.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Events:
    """The events service: ``log.run`` and ``forget`` are its background tasks.

    So is ``keep_up`` where other nodes use the same store (``shared``); :meth:`begin` comes
    before anybody is served, and ``follows.close`` at the end. ``bus`` says whether other nodes
    are heard at once, if there is one.
    """

    log: EventLog
    subscriptions: Subscriptions
    servicer: EventServicer
    follows: Follows
    words: NodeWords
    shared: bool
    bus: Availability | None = None

    async def begin(self) -> None:
        """Hear what other nodes say from now on."""
        if self.shared:
            await self.words.begin()

    async def keep_up(self) -> None:
        """Hear other nodes, until cancelled."""
        assert self.log.neighbours is not None
        await first_of([self.log.neighbours.run(), self.words.run()])

    async def forget(self) -> None:
        """Drop old request ids every hour, until cancelled."""
        await every(FORGET_EVERY_S, self._forget, at_once=False)

    async def _forget(self) -> None:
        forgotten = await self.log.forget_requests()
        logger.info("request ids forgotten", count=forgotten)


def compose_events(
    database: Database,
    policy: AccessPolicy,
    verifier: TokenVerifier,
    on_access_change: Callable[[AccessChange], None] | None = None,
    redis: Redis | None = None,
    bus_key: bytes = b"",
) -> Events:
    """Put the events service on a database.

    On a shared one nodes tell each other by ``redis``, and know each other by ``bus_key``.
    """
    subscriptions = Subscriptions(PolicyGatekeeper(policy, verifier))
    changed = on_access_change or subscriptions.access_changed
    bus, availability = _bus(redis, bus_key) if database.shared else (None, None)
    log = EventLog(SqlLogStore(database), changed, bus=bus)
    follows = Follows(subscriptions, log)

    def hear(word: Word) -> None:
        if isinstance(word, Changed):
            changed(AccessChange(word.user_id, word.session_id))
        else:
            follows.heard(word)

    words = NodeWords(log, hear, lambda: changed(AccessChange(anybody=True)))
    servicer = EventServicer(log, subscriptions, follows)
    return Events(log, subscriptions, servicer, follows, words, database.shared, availability)


def _bus(redis: Redis | None, key: bytes) -> tuple[Bus, Availability | None]:
    if redis is None:
        from antiphon_server.events.adapters.silent_bus import SilentBus

        return SilentBus(), None
    from antiphon_server.events.adapters.redis_bus import RedisBus

    bus = RedisBus(redis, key)
    return bus, bus.availability
