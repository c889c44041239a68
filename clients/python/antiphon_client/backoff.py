"""How long to wait before the next try."""

import random

# As long as a restart may take, pauses stay short: a stream is back within 2 s of it.
_RESTART_TRIES = 20
_RESTART_MOST_S = 0.8


class Backoff:
    """Doubling pauses with full jitter: the first is under 0.1 s, none is over ``most``.

    None of the first twenty, some 8 s in all, is over 0.8 s.
    """

    def __init__(self, first: float = 0.1, most: float = 3.0) -> None:
        self._first = first
        self._most = most
        self._tries = 0

    def next(self) -> float:
        """Seconds to wait now."""
        most = self._most if self._tries >= _RESTART_TRIES else min(self._most, _RESTART_MOST_S)
        ceiling = min(self._first * 2.0 ** min(self._tries, 30), most)
        self._tries += 1
        return random.uniform(ceiling / 10, ceiling)

    def ease(self) -> None:
        """Something worked, if not for long: wait 0.4 s at most the next time."""
        self._tries = min(self._tries, 2)

    def reset(self) -> None:
        """Begin again with short pauses."""
        self._tries = 0
