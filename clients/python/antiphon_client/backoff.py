"""How long to wait before the next try."""

import random


class Backoff:
    """Doubling pauses with full jitter: the first is under 0.1 s, none is over ``most``."""

    def __init__(self, first: float = 0.1, most: float = 3.0) -> None:
        self._first = first
        self._most = most
        self._tries = 0

    def next(self) -> float:
        """Seconds to wait now."""
        ceiling = min(self._first * 2.0 ** min(self._tries, 30), self._most)
        self._tries += 1
        return random.uniform(ceiling / 10, ceiling)

    def ease(self) -> None:
        """Something worked, if not for long: wait 0.4 s at most the next time."""
        self._tries = min(self._tries, 2)

    def reset(self) -> None:
        """Begin again with short pauses."""
        self._tries = 0
