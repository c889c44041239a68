"""Security events on their way into the store: completed, stamped, put in their places."""

import hmac
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import fields, replace
from typing import Any, Generic, TypeVar

from antiphon_server.auth.model.chain import Head, Seal, SealedEvent, StampedEvent
from antiphon_server.auth.model.security_events import Detail, SecurityEvent
from antiphon_server.auth.ports import Clock, ServerSecret
from antiphon_server.auth.ports.security_events import Records, SecurityEventStore
from antiphon_server.auth.service.clock import micros
from antiphon_server.runtime.access.principal import Principal, current_principal
from antiphon_server.runtime.concurrency.grouping import Grouped
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.net.addresses import current_address
from antiphon_server.runtime.telemetry.current_rpc import current_request_id

T = TypeVar("T")
log = logging.getLogger(__name__)
LONGEST_TEXT = 256
MOST_TEXTS = 32
ANONYMOUS = "anonymous"
"""The actor of what is done by callers who have not proved to be anybody."""
AUTH = "services/auth"
"""The actor of what this service does outside of any call."""
Listener = Callable[[SecurityEvent, SealedEvent], None]
Place = Callable[[Sequence[StampedEvent], Head, Seal], Sequence[SealedEvent]]
"""Puts events in their places behind a head."""


class SecurityEventLog:
    """The ``SecurityEvents`` and the ``Recorder`` of this process.

    Those who listen are told of every event after it was committed, of one act in order.
    """

    def __init__(
        self, store: SecurityEventStore, place: Place, secret: ServerSecret, clock: Clock
    ) -> None:
        self._store = store
        self._place = place
        self._seal = seal_of(secret)
        self._now = micros(clock)
        self._grouped: Grouped[Sequence[StampedEvent], None] = Grouped(self._write)
        self._listeners: list[Listener] = []

    @contextmanager
    def recording(self, events: Callable[[T], Sequence[SecurityEvent]]) -> Iterator[Records[T]]:
        """See :meth:`Recorder.recording`. If the block raises, nobody is told."""
        caller = copy_context()  # a store's thread knows nothing of the call in hand
        act = _Act[T](lambda it: caller.run(self._stamped, events(it)), self._place, self._seal)
        yield act
        self._notify(act.placed)

    async def record(self, *events: SecurityEvent, key: str = "") -> None:
        """See :meth:`SecurityEvents.record`; the ``key`` is for those who tell another process.

        Cancelling it does not undo it.
        """
        if events:
            await self._grouped.add(self._stamped(events))

    def on_event(self, listener: Listener) -> None:
        """Tell ``listener`` of each event from now on. It must not wait; its failure is logged."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Accept no more, and return when all that was accepted is stored."""
        await self._grouped.close()

    async def _write(self, groups: Sequence[Sequence[StampedEvent]]) -> Sequence[None]:
        stamped = [one for group in groups for one in group]
        act = _Act[None](lambda _: stamped, self._place, self._seal)
        await self._store.append(act)
        self._notify(act.placed)
        return [None] * len(groups)

    def _stamped(self, events: Sequence[SecurityEvent]) -> list[StampedEvent]:
        now = self._now()
        return [StampedEvent(completed(event), new_id("sec"), now) for event in events]

    def _notify(self, placed: Sequence[tuple[StampedEvent, SealedEvent]]) -> None:
        for stamped, sealed in placed:
            for listener in self._listeners:
                try:
                    listener(stamped.event, sealed)
                except Exception:  # it is committed: it must not be written again
                    log.exception("a listener failed at security event %d", sealed.sequence)


class _Act(Generic[T]):
    """The :class:`~antiphon_server.auth.ports.security_events.Records` of one act.

    ``placed`` are the events as they were added last.
    """

    def __init__(
        self, stamped: Callable[[T], Sequence[StampedEvent]], place: Place, seal: Seal
    ) -> None:
        self._stamped = stamped
        self._place = place
        self._seal = seal
        self.placed: Sequence[tuple[StampedEvent, SealedEvent]] = ()

    def __call__(self, outcome: T, head: Callable[[], Head]) -> Sequence[SealedEvent]:
        """See :class:`Records`."""
        stamped = self._stamped(outcome)
        sealed = self._place(stamped, head(), self._seal) if stamped else ()
        self.placed = tuple(zip(stamped, sealed, strict=True))
        return sealed


def seal_of(secret: ServerSecret) -> Seal:
    """How this installation seals the hashes of its events."""
    key = secret.derive("security events")
    return lambda hashed: hmac.digest(key, hashed, "sha256")


def actor_of(caller: Principal, own: str) -> str:
    """How events name a caller; what happens outside of any call is the ``own`` doing of here."""
    if caller.kind != "anonymous":
        return caller.actor
    return ANONYMOUS if current_request_id() else own


def completed(event: SecurityEvent, own: str = AUTH) -> SecurityEvent:
    """The event with all that the call in hand says of it, and nothing too long in it.

    ``own`` is the actor of what happens outside of any call.
    """
    caller = current_principal()
    return SecurityEvent(
        detail=_bounded(event.detail),
        user_id=event.user_id,
        actor=actor_of(caller, own) if event.actor is None else event.actor,
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
