"""What MCP connections need from outside."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from antiphon_server.integration.tools.model import Json

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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answers a server's question."""

    action: Literal["accept", "decline", "cancel"]
    content: dict[str, Json] = field(default_factory=dict)


class Questions(Protocol):
    """Answers what servers ask people (elicitation)."""

    async def ask(self, message: str, schema: str) -> Answer:
        """Ask; ``schema`` is the answer's JSON Schema, "" where a page is to be opened instead."""
        ...


class Declined:
    """Declines whatever is asked."""

    async def ask(self, message: str, schema: str) -> Answer:
        """See :meth:`Questions.ask`."""
        return Answer("decline")


@dataclass(frozen=True, slots=True)
class Outside:
    """All that connections use. No port for sampling: no server is offered our models."""

    transport: "Callable[[], httpx2.AsyncBaseTransport]"
    tokens: TokenStore | None = None
    consent: Consent | None = None
    questions: Questions = field(default_factory=Declined)
    changed: Callable[[], None] = lambda: None
    """Called when the server says that its list of tools has changed."""
