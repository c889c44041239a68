"""What MCP connections need from outside."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from antiphon_server.runtime.errors import DomainError, Reason

if TYPE_CHECKING:
    import httpx2


class TokenStore(Protocol):
    """Keeps what an authorization server has granted one connection: a secret."""

    async def load(self) -> str | None:
        """What was kept last; None at first."""
        ...

    async def save(self, granted: str) -> None:
        """Keep it in place of what is there."""
        ...


class Consent(Protocol):
    """Lets a person consent in a browser."""

    async def ask(self, url: str) -> str:
        """Show the page at ``url``; the whole URL to which the person was sent back.

        Raises DomainError CONNECTION_UNAVAILABLE where nobody can be asked.
        """
        ...


class Places:
    """How many programs run at once, of all connections: ``with places:`` around each."""

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, 0

    def __enter__(self) -> None:
        """Take a place. Raises DomainError LIMIT_EXCEEDED if there is none."""
        if self._taken >= self._most:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{self._most} programs at once")
        self._taken += 1

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._taken -= 1


@dataclass(frozen=True, slots=True)
class Outside:
    """All that connections use. No port for sampling: no server is offered our models."""

    transport: "Callable[[], httpx2.AsyncBaseTransport]"
    places: Places = field(default_factory=lambda: Places(1))
    tokens: TokenStore | None = None
    consent: Consent | None = None
    changed: Callable[[], None] = lambda: None
    """Called when the server says that its list of tools has changed."""
