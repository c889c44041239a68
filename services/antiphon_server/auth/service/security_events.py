"""Security events on their way into the store: completed, stamped, committed in groups."""

import hmac
import logging
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from antiphon_server.auth.model import SECOND
from antiphon_server.auth.model.security_events import (
    Detail,
    Seal,
    SealedEvent,
    SecurityEvent,
    StampedEvent,
)
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.ports.security_events import SecurityEventStore
from antiphon_server.runtime.addresses import current_address
from antiphon_server.runtime.grouping import Grouped
from antiphon_server.runtime.ids import new_id
from antiphon_server.runtime.principal import Principal, current_principal
from antiphon_server.runtime.request_id import current_request_id

log = logging.getLogger(__name__)
LONGEST_TEXT = 256
MOST_TEXTS = 32
ANONYMOUS = "anonymous"
"""The actor of what is done by callers who have not proved to be anybody."""
Listener = Callable[[SecurityEvent, SealedEvent], None]


class SecurityEventLog:
    """The :class:`~antiphon_server.auth.ports.security_events.SecurityEvents` of this process.

    Those who listen are told of every event after it was committed, in order.
    """

    def __init__(self, store: SecurityEventStore, secret: ServerSecret, clock: Clock) -> None:
        self._store = store
        self._seal = seal_of(secret)
        self._clock = clock
        self._grouped: Grouped[Sequence[StampedEvent], Sequence[SealedEvent]] = Grouped(self._write)
        self._listeners: list[Listener] = []

    async def record(self, *events: SecurityEvent) -> None:
        """See :meth:`SecurityEvents.record`. Cancelling it does not undo it."""
        now = int(self._clock() * SECOND)
        if events:
            stamped = [StampedEvent(completed(event), new_id("sec"), now) for event in events]
            await self._grouped.add(stamped)

    def on_event(self, listener: Listener) -> None:
        """Tell ``listener`` of each event from now on. It must not wait; its failure is logged."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Accept no more, and return when all that was accepted is stored."""
        await self._grouped.close()

    async def _write(
        self, records: Sequence[Sequence[StampedEvent]]
    ) -> Sequence[Sequence[SealedEvent]]:
        stamped = [one for record in records for one in record]
        sealed = await self._store.append(stamped, self._seal)
        for one, placed in zip(stamped, sealed, strict=True):
            self._tell(one.event, placed)
        places = iter(sealed)
        return [[next(places) for _ in record] for record in records]

    def _tell(self, event: SecurityEvent, placed: SealedEvent) -> None:
        for listener in self._listeners:
            try:
                listener(event, placed)
            except Exception:  # the group is committed: it must not be written again
                log.exception("a listener failed at security event %d", placed.sequence)


def seal_of(secret: ServerSecret) -> Seal:
    """How this installation seals the hashes of its events."""
    key = secret.derive("security events")
    return lambda hashed: hmac.digest(key, hashed, "sha256")


def actor_of(caller: Principal) -> str:
    """How events name a caller; what happens outside of any call is this service's doing."""
    if caller.kind != "anonymous":
        return caller.actor
    return ANONYMOUS if current_request_id() else "services/auth"


def completed(event: SecurityEvent) -> SecurityEvent:
    """The event with all that the call in hand says of it, and nothing too long in it."""
    caller = current_principal()
    return SecurityEvent(
        detail=_bounded(event.detail),
        user_id=event.user_id,
        actor=actor_of(caller) if event.actor is None else event.actor,
        session_id=caller.session_id if event.session_id is None else event.session_id,
        address=current_address() if event.address is None else event.address,
    )


def _bounded(detail: Detail) -> Detail:
    texts = {field.name: _short(getattr(detail, field.name)) for field in fields(detail)}
    return replace(detail, **texts)


def _short(value: Any) -> Any:
    if type(value) is tuple:
        return tuple(_short(text) for text in value[:MOST_TEXTS])
    if type(value) is not str:
        return value
    return "".join(character for character in value[:LONGEST_TEXT] if character.isprintable())
