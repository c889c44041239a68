"""What switches need from outside."""

from collections.abc import Mapping
from typing import Protocol

from antiphon_server.integration.breakers.model import Said, Target


class SwitchStore(Protocol):
    """Keeps what operators have said last, for all servers."""

    async def all(self) -> Mapping[Target, Said]:
        """What was said last of each. Raises DomainError."""
        ...

    async def say(self, target: Target, *, open: bool) -> Said:
        """Keep what the caller says. What is open stays as it was said. Raises DomainError."""
        ...
