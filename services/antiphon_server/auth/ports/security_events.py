"""Where security events go, and where they are kept."""

from collections.abc import Sequence
from typing import Protocol

from antiphon_server.auth.model.security_events import (
    Head,
    Seal,
    SealedEvent,
    SecurityEvent,
    Selection,
    StampedEvent,
)


class SecurityEvents(Protocol):
    """Keeps what happened."""

    async def record(self, *events: SecurityEvent) -> None:
        """Keep the events, in this order; they are committed when it returns.

        What changes somebody's rights calls it before it answers. Raises DomainError
        OVERLOADED, STORE_UNAVAILABLE, DRAINING.
        """
        ...


class SecurityEventStore(Protocol):
    """A chain of events that can only grow."""

    async def append(self, events: Sequence[StampedEvent], seal: Seal) -> Sequence[SealedEvent]:
        """Put the events behind the newest one, all or none, and return them in their places."""
        ...

    async def after(self, sequence: int, which: Selection, limit: int) -> Sequence[SealedEvent]:
        """The first events behind a place, the oldest first."""
        ...

    async def before(
        self, sequence: int | None, which: Selection, limit: int
    ) -> Sequence[SealedEvent]:
        """The last events before a place, or of all, the newest first."""
        ...

    async def head(self) -> Head:
        """The newest event's place and hash."""
        ...
