"""What MCP connections need from outside."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from antiphon_server.integration.tools.model import Caller
from antiphon_server.runtime.errors import DomainError, Reason

if TYPE_CHECKING:
    import httpx2


class TokenStore(Protocol):
    """Keeps what was granted one connection, a secret, for all servers."""

    async def load(self) -> tuple[str, int]:
        """What was kept last, "" for nothing, and its version."""
        ...

    async def save(self, granted: str, seen: int) -> int | None:
        """Keep it in place of the version that was ``seen``.

        Returns the new version; None if another has changed it meanwhile.
        """
        ...


class Consent(Protocol):
    """Lets a person consent in a browser."""

    async def ask(self, url: str) -> str:
        """Show the page at ``url``; the whole URL to which the person was sent back.

        Raises DomainError CONNECTION_UNAVAILABLE where nobody can be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody says in what a model is asked."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a server would have a model asked: ``lines`` behind ``instructions``, all its own."""

    lines: tuple[Line, ...]
    instructions: str
    max_tokens: int
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Sampled:
    """What ``model`` answered; ``cut`` at the limit of tokens."""

    text: str
    model: str
    cut: bool = False


class Sampling(Protocol):
    """Has models asked on behalf of whoever calls a tool."""

    async def sample(self, caller: Caller, wanted: Wanted) -> Sampled:
        """Ask; the caller pays. Raises DomainError MODEL_*."""
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
    """All that connections use. Without ``sampling`` the server is offered no model."""

    transport: "Callable[[], httpx2.AsyncBaseTransport]"
    places: Places = field(default_factory=lambda: Places(1))
    tokens: TokenStore | None = None
    consent: Consent | None = None
    sampling: Sampling | None = None
    changed: Callable[[], None] = lambda: None
    """Called when the server says that its list of tools has changed."""
