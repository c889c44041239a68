"""What the way to the audit trail needs."""

from collections.abc import Sequence
from typing import Protocol

from antiphon_server.runtime.trail.model import Entry


class Outbox(Protocol):
    """What waits to be told: each entry is stored in the transaction of the change itself."""

    async def first(self, after: int, limit: int) -> Sequence[tuple[int, Entry]]:
        """The entries behind the place ``after``, in order, each with its place."""
        ...

    async def remove(self, entry: Entry) -> None:
        """Forget one that was told; another server may have done it."""
        ...


class SecurityTrail(Protocol):
    """Keeps what happened."""

    async def record(self, entry: Entry) -> None:
        """Keep an entry; one that it has changes nothing. Raises DomainError."""
        ...
