"""How much the dispatcher takes on at once."""

from collections.abc import Callable
from dataclasses import dataclass


def _alike(_who: str) -> float:
    return 1.0


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """What comes beyond is refused, but for turns that can't run yet: they are queued.

    ``weight`` of a user or workspace multiplies what is theirs.
    """

    running: int = 1_000
    """Turns that run at once."""
    running_of_user: int = 10
    """Of them those of one user."""
    of_user: int = 100
    """Turns of one user that have not ended."""
    of_conversation: int = 100
    """Turns of one conversation that have not ended."""
    waiting: int = 100
    """Calls that wait for their place in one conversation."""
    weight: Callable[[str], float] = _alike

    def most_of(self, user: str) -> int:
        """How many turns of a user may be unfinished."""
        return max(1, round(self.of_user * self.weight(user)))

    def most_running_of(self, user: str) -> int:
        """How many of them may run at once."""
        return max(1, round(self.running_of_user * self.weight(user)))
