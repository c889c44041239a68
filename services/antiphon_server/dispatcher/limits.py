"""How much the dispatcher takes on at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """What comes beyond is refused, but for turns that can't run yet: they are queued."""

    running: int = 1_000
    """Turns that run at once."""
    of_user: int = 800
    """Turns of one user that have not ended; a fifth of all is left to the others."""
    of_conversation: int = 100
    """Turns of one conversation that have not ended."""
    waiting: int = 100
    """Calls that wait for their place in one conversation."""
