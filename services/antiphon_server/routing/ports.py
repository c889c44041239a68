"""What routing needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from antiphon_server.routing.model import Candidate, Expert


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
