"""What is kept for a time."""

from typing import Protocol


class Expiring(Protocol):
    """Forgets what is over. Each call does a bounded piece of work; many processes may call."""

    async def forget(self, now: int, limit: int) -> int:
        """Delete up to ``limit`` records of each kind that nobody needs any more; how many."""
        ...
