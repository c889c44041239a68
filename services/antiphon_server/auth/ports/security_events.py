"""Where security events go, and where they are kept."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from antiphon_server.auth.model.chain import Head, SealedEvent, Selection
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.model.security_events import SecurityEvent

T = TypeVar("T")
Outcome = TypeVar("Outcome", contravariant=True)


class Records(Protocol[Outcome]):
    """Writes the audit entries of an operation, in the transaction of that operation.

    A store calls it last in its transaction, possibly on another thread, and again if the
    transaction is retried.
    """

    def __call__(self, outcome: Outcome, head: Callable[[], Head], /) -> Sequence[SealedEvent]:
        """The events to add, in their places behind the newest one.

        That is asked for only if there are any. Nobody else may add one until the transaction
        is over.
        """
        ...


def unrecorded(_outcome: Any, _head: Callable[[], Head]) -> Sequence[SealedEvent]:
    """Write no records, for an operation that is not audited."""
    return ()


class Recorder(Protocol):
    """Writes the audit trail."""

    def recording(
        self, events: Callable[[T], Sequence[SecurityEvent]]
    ) -> AbstractContextManager[Records[T]]:
        """Provide the records of one operation, for the store to write within the block.

        ``events`` returns the events for the operation's result and must not block. Whatever
        changes somebody's rights is recorded this way, so that neither exists without the other.
        """
        ...


class SecurityEvents(Protocol):
    """Keeps what happened."""

    async def record(self, *events: SecurityEvent, key: str = "") -> None:
        """Keep the events, in this order; they are committed when it returns.

        Who tries again with the same events gives the same ``key``: what was kept before,
        though its answer got lost, is not kept again.
        For what changes nothing in a store. Raises DomainError OVERLOADED,
        STORE_UNAVAILABLE, DRAINING.
        """
        ...


class SecurityEventStore(Protocol):
    """A chain of events that can only grow."""

    async def append(self, records: Records[None], answer: Answer | None = None) -> None:
        """Add the events, all or none.

        An ``answer`` is remembered in the same transaction; if its request was answered before,
        Repeated is raised instead, or DomainError REQUEST_ID_REUSED.
        """
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
