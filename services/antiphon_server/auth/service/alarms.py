"""Alarms: what is unusual in the stream of security events."""

import asyncio
import logging
from collections import deque
from typing import Annotated

import msgspec
from msgspec import Meta

from antiphon_server.auth.model.chain import SealedEvent
from antiphon_server.auth.model.security_events import (
    AccessRefused,
    AlarmKind,
    AlarmRaised,
    ApiKeyUsed,
    RefreshTokenReused,
    SecurityEvent,
    SignedIn,
    SignInFailed,
    SignInsRefused,
)
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.security_events import SecurityEvents
from antiphon_server.auth.service.security_events import AUTH
from antiphon_server.auth.service.windows import Windows
from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import LATER
from antiphon_server.runtime.errors import DomainError

MOST_WAITING = 1_000

log = logging.getLogger(__name__)


Threshold = Annotated[int, Meta(ge=1, le=10_000)]


class AlarmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of each within ``window_s`` seconds are unusual."""

    failures_from_address: Threshold = 20
    failures_on_name: Threshold = 10
    refusals_of_actor: Threshold = 50
    window_s: Annotated[float, Meta(ge=1, le=86_400)] = 300.0


class Alarms:
    """Watches events and raises alarms, which are events themselves.

    ``run`` must be running for them to be recorded; they are logged at once.
    """

    def __init__(self, events: SecurityEvents, settings: AlarmSettings, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._window_ms = int(settings.window_s * 1000)
        self._by_kind = {
            AlarmKind.FAILURES_FROM_ADDRESS: settings.failures_from_address,
            AlarmKind.FAILURES_ON_NAME: settings.failures_on_name,
            AlarmKind.REFUSALS_OF_ACTOR: settings.refusals_of_actor,
        }
        self._windows = {
            kind: Windows(most, settings.window_s) for kind, most in self._by_kind.items()
        }
        self._waiting: deque[SecurityEvent] = deque(maxlen=MOST_WAITING)
        self._raised = asyncio.Event()

    def on_event(self, event: SecurityEvent, _sealed: SealedEvent) -> None:
        """Something was committed."""
        match event.detail:
            case SignInFailed(name_hash=name, count=count):
                self._failures(event, name, count)
            case SignInsRefused(name_hash=name, count=count):
                self._failures(event, name, count)
            case AccessRefused(count=count):
                self._count(AlarmKind.REFUSALS_OF_ACTOR, event.actor or "", event, count)
            case SignedIn(new_place=True):
                self._raise(AlarmKind.NEW_PLACE, f"users/{event.user_id}", event)
            case ApiKeyUsed(key_id=key_id, new_place=True):
                self._raise(AlarmKind.API_KEY_IN_NEW_PLACE, f"api_keys/{key_id}", event)
            case RefreshTokenReused():
                self._raise(AlarmKind.REFRESH_TOKEN_REUSED, f"users/{event.user_id}", event)

    async def run(self) -> None:
        """Record alarms as they are raised."""
        while True:
            await self._raised.wait()
            await retrying(self.flush, LATER, DomainError, on_wait=_say)

    async def flush(self) -> None:
        """Record the alarms that were raised."""
        self._raised.clear()
        waiting = list(self._waiting)
        self._waiting.clear()
        try:
            await self._events.record(*waiting)
        except DomainError:
            self._waiting.extendleft(reversed(waiting))
            self._raised.set()
            raise

    def _failures(self, event: SecurityEvent, name_hash: str, count: int) -> None:
        self._count(AlarmKind.FAILURES_FROM_ADDRESS, event.address or "", event, count)
        name = f"users/{event.user_id}" if event.user_id else name_hash
        self._count(AlarmKind.FAILURES_ON_NAME, name, event, count)

    def _count(self, kind: AlarmKind, subject: str, event: SecurityEvent, count: int) -> None:
        found = self._windows[kind].count(subject, self._clock(), count) if subject else 0
        if found:
            self._raise(kind, subject, event, found, self._window_ms)

    def _raise(
        self,
        kind: AlarmKind,
        subject: str,
        event: SecurityEvent,
        count: int = 1,
        window_ms: int = 0,
    ) -> None:
        log.warning("alarm: %s of %s, %d times", kind.name.lower(), subject, count)
        alarm = AlarmRaised(kind, subject, count, window_ms)
        self._waiting.append(SecurityEvent(alarm, event.user_id, AUTH, "", event.address))
        self._raised.set()


async def _say(error: DomainError, _failures: int) -> None:
    log.warning("an alarm could not be recorded yet: %s", error)
