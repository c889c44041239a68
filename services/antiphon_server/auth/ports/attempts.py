"""Where guesses are counted."""

from typing import Protocol


class AttemptStore(Protocol):
    """Counters of guesses; each starts a window of time with its first guess."""

    async def count(self, key: str, now: int, window: int) -> tuple[int, int]:
        """Count one guess: the number so far in the key's window, and the window's end.

        That is ``now + window`` at most, even if the clock had run ahead.
        """
        ...

    async def uncount(self, key: str) -> None:
        """Take one guess back: it was right."""
        ...

    async def reset(self, key: str) -> None:
        """Forget the key."""
        ...
