"""The composition root's slice for the log: every concrete class in its place."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.events.v1.event_service_pb2_grpc import add_EventServiceServicer_to_server
from antiphon_server.events.adapters.redaction import EventWords
from antiphon_server.events.adapters.settings import EventSettings
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.erasing import Erasing
from antiphon_server.events.follows import Follows
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import AccessChange
from antiphon_server.events.node_message_reader import NodeMessageReader
from antiphon_server.events.node_messages import AccessChanged, NodeMessage
from antiphon_server.events.ports import Bus
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.settings_erasing import SettingsErasing
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.gatekeeper import PolicyGatekeeper
from antiphon_server.runtime.access.rules import AccessPolicy, TokenVerifier
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.concurrency.tasks import every, first_of
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.process.optional_part import show_availability
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.availability import Availability
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.redis import Redis
from antiphon_server.runtime.telemetry.metrics import Gauges
from antiphon_server.runtime.telemetry.structured import structlog

FORGET_EVERY_S = 3600.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Events(Service):
    """The events service; other nodes use the same store if it is ``shared``.

    ``bus`` says whether other nodes are heard at once, if there is one.
    """

    log: EventLog
    subscriptions: Subscriptions
    servicer: EventServicer
    follows: Follows
    reader: NodeMessageReader
    shared: bool
    bus: Availability | None = None

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        add_EventServiceServicer_to_server(self.servicer, server)

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Hear other nodes, write what is appended, and forget old request ids every hour.

        What servers of the version before tell of conversations is noted every hour, too.
        """
        if self.shared:
            await self.reader.begin()
            lifecycle.spawn("log.nodes", self._keep_up())
        writer = lifecycle.spawn("log", self.log.run())
        lifecycle.on_stop("follows", self.follows.close)

        async def flush() -> None:
            self.log.close()
            await asyncio.wait([writer])

        lifecycle.on_stop("log", flush)
        forgetting = every(FORGET_EVERY_S, self._forget, at_once=False)
        lifecycle.spawn("log.forget", forgetting, vital=False)
        noting = every(FORGET_EVERY_S, self.log.note_told)
        lifecycle.spawn("log.noting", noting, vital=False)
        await health.set("log", serving=True)
        if self.bus is not None:
            await show_availability("bus", self.bus, lifecycle, health)

    async def drain(self, grace_s: float) -> None:
        """See :meth:`Service.drain`."""
        await self.subscriptions.drain()

    def streams(self) -> int:
        """See :meth:`Service.streams`."""
        return len(self.subscriptions)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        log = self.log
        gauges = Gauges(
            {
                "antiphon_streams_open": ("Streams that clients have open.", self.streams),
                "antiphon_log_waiting": (
                    "Appends that wait for their commit.",
                    lambda: log.waiting,
                ),
                "antiphon_log_ring_bytes": (
                    "What the rings of newest events hold.",
                    lambda: log.ring_bytes,
                ),
            }
        )
        return [gauges, *([self.bus] if self.bus is not None else [])]

    async def _keep_up(self) -> None:
        """Hear other nodes, until cancelled."""
        assert self.log.peer_commits is not None
        await first_of([self.log.peer_commits.run(), self.reader.run()])

    async def _forget(self) -> None:
        forgotten = await self.log.forget_requests()
        logger.info("request ids forgotten", count=forgotten)


def compose_service(
    _settings: object, infrastructure: Infrastructure, _links: Links, guards: Guards
) -> Events:
    """Put the events service on what its process has."""
    redis, secret = infrastructure.redis, infrastructure.secret
    key = secret.derive("bus between nodes") if redis else b""
    events = compose_events(
        infrastructure.database,
        guards.policy,
        guards.verifier,
        infrastructure.shares,
        redis=redis,
        bus_key=key,
    )
    guards.on_session_end(events.subscriptions.session_ended)
    guards.on_keys_withdrawn(events.subscriptions.check_tokens)
    return events


def compose_events(
    database: Database,
    policy: AccessPolicy,
    verifier: TokenVerifier,
    shares: Shares,
    on_access_change: Callable[[AccessChange], None] | None = None,
    redis: Redis | None = None,
    bus_key: bytes = b"",
) -> Events:
    """Put the events service on a database.

    On a shared one nodes tell each other by ``redis``, and know each other by ``bus_key``.
    """
    subscriptions = Subscriptions(PolicyGatekeeper(policy, verifier), shares)
    changed = on_access_change or subscriptions.access_changed
    bus, availability = _bus(redis, bus_key) if database.shared else (None, None)
    log = EventLog(SqlLogStore(database), changed, bus=bus)
    follows = Follows(subscriptions, log)

    def on_message(message: NodeMessage) -> None:
        if isinstance(message, AccessChanged):
            changed(AccessChange(message.user_id, message.session_id))
        else:
            follows.on_message(message)

    reader = NodeMessageReader(log, on_message, lambda: changed(AccessChange(anybody=True)))
    settings = SettingsErasing(log, EventSettings())
    servicer = EventServicer(
        log, subscriptions, follows, erasing=Erasing(log, EventWords()), settings=settings
    )
    return Events(log, subscriptions, servicer, follows, reader, database.shared, availability)


def _bus(redis: Redis | None, key: bytes) -> tuple[Bus, Availability | None]:
    if redis is None:
        from antiphon_server.events.adapters.silent_bus import SilentBus

        return SilentBus(), None
    from antiphon_server.events.adapters.redis_bus import RedisBus

    bus = RedisBus(redis, key)
    return bus, bus.availability
