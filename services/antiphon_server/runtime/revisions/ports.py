"""What rules that are replaced as a whole need from outside."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from antiphon_server.runtime.revisions.model import Revision

T = TypeVar("T")


class RevisionStore(Protocol[T]):
    """Keeps the rules of all parents, and what they were."""

    async def changes(self) -> int:
        """Another number after each change, whichever server made it."""
        ...

    async def newest(self) -> Mapping[str, int]:
        """The number of the newest revision of each parent whose rules are not empty."""
        ...

    async def get(self, parent: str, number: int = 0) -> Revision[T] | None:
        """A revision, 0 for the newest; None if there is none."""
        ...

    async def put(
        self, parent: str, rules: Sequence[T], comment: str, expected: int | None
    ) -> Revision[T]:
        """Store the next revision, unless the newest has these rules; returns the newest.

        Those before the newest 100 go. Raises DomainError ETAG_MISMATCH if ``expected`` is given,
        the newest is another one, and has other rules.
        """
        ...

    async def revisions(self, parent: str, before: int, limit: int) -> Sequence[Revision[T]]:
        """Those before that number (0: all), the newest first, without their rules."""
        ...
