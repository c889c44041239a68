"""How passwords are hashed."""

from contextlib import AbstractContextManager
from typing import Protocol


class PasswordHasher(Protocol):
    """A slow, memory-hard hash, computed off the event loop by a bounded pool."""

    def slot(self, *, reserved: bool = False) -> AbstractContextManager[None]:
        """A place in the pool, for one evaluation after another; some are ``reserved``.

        Raises DomainError OVERLOADED at once if too many wait.
        """
        ...

    async def hash(self, password: bytes) -> str:
        """The encoded hash; the caller has a slot."""
        ...

    async def verify(self, encoded: str, password: bytes) -> bool:
        """Whether the password has that hash, by one evaluation; the caller has a slot."""
        ...

    def decoy(self) -> str:
        """A hash of nothing, as costly to verify as a new one."""
        ...

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        ...
