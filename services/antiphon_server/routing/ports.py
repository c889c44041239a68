"""What routing needs from outside."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from antiphon_server.routing.model import Candidate, Expert, Revision, Rule


class Experts(Protocol):
    """Who serves what."""

    def of(self, workspace_id: str) -> Sequence[Expert]:
        """The handlers that turns of a workspace may name, as it is now; each once.

        Those of servers themselves, too. Asked once by a decision, and only where a rule matches;
        and once to see whether it takes long, where a rule has a classifier.
        """
        ...


class Classifies(Protocol):
    """Says for whom a message is."""

    def __call__(self, text: str, experts: Sequence[Expert]) -> Sequence[Candidate]:
        """All experts, the best first; their scores are from 0 to 1, together at most 1."""
        ...

    def knows(self, experts: Sequence[Expert]) -> bool:
        """Whether it has learned them, so that it answers within a millisecond."""
        ...


class RouteStore(Protocol):
    """Keeps the rules of all parents, and what they were."""

    async def changes(self) -> int:
        """Another number after each change, whichever server made it."""
        ...

    async def newest(self) -> Mapping[str, int]:
        """The number of the newest revision of each parent whose rules are not empty."""
        ...

    async def get(self, parent: str, number: int = 0) -> Revision | None:
        """A revision, 0 for the newest; None if there is none."""
        ...

    async def put(
        self, parent: str, rules: Sequence[Rule], comment: str, expected: int | None
    ) -> Revision:
        """Store the next revision, unless the newest has these rules; returns the newest.

        Those before the newest 100 go. Raises DomainError ETAG_MISMATCH if ``expected`` is given,
        the newest is another one, and has other rules.
        """
        ...

    async def revisions(self, parent: str, before: int, limit: int) -> Sequence[Revision]:
        """Those before that number (0: all), the newest first, without their rules."""
        ...
