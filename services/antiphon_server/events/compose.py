"""The composition root's slice for the log: every concrete class in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from antiphon_server.events.adapters.gatekeeper import PolicyGatekeeper
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import AccessChange
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access import AccessPolicy, TokenVerifier
from antiphon_server.runtime.database import Database
from antiphon_server.runtime.tasks import every

VERSIONS = Path(__file__).parent / "adapters" / "migrations" / "versions"
FORGET_EVERY_S = 3600.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Events:
    """The events service: ``log.run`` and ``forget`` are its background tasks."""

    log: EventLog
    subscriptions: Subscriptions
    servicer: EventServicer

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
) -> Events:
    """Put the events service on a database."""
    subscriptions = Subscriptions(PolicyGatekeeper(policy, verifier))
    log = EventLog(SqlLogStore(database), on_access_change or subscriptions.access_changed)
    return Events(log, subscriptions, EventServicer(log, subscriptions))
