"""How much may be written at the will of strangers: much at once, little for ever."""

from dataclasses import dataclass

MOST = 600
"""So many at once: everybody who mistypes a password on a Monday morning."""
A_MINUTE = 20
"""So many for ever: 29,000 a day."""


@dataclass(slots=True)
class Budget:
    """A bucket of ``MOST`` that fills by ``A_MINUTE``; ``filled_at`` is in Unix seconds."""

    filled_at: float
    left: float = MOST

    def has_any(self, now: float) -> bool:
        """Whether there is one to spend. A clock that is set back fills nothing."""
        filled = max(0.0, now - self.filled_at) * A_MINUTE / 60
        self.left, self.filled_at = min(MOST, self.left + filled), now
        return self.left >= 1

    def spend(self, now: float) -> bool:
        """Take one, if there is one."""
        if not self.has_any(now):
            return False
        self.left -= 1
        return True
