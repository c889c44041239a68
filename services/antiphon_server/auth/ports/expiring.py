"""What is kept for a time."""

from typing import Protocol

from antiphon_server.auth.model import Session


class Expiring(Protocol):
    """Finds what is over. Each call does a bounded piece of work; many processes may call."""

    async def end_expired(self, now: int, limit: int) -> list[Session]:
        """Note the end of sessions that have expired, and return them: each one, once."""
        ...

    async def forget(self, now: int, limit: int) -> int:
        """Delete up to ``limit`` records of each kind that nobody needs any more; how many."""
        ...
