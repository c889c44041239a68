"""The door to people's consents; the SDK is imported where one is first asked for."""

from typing import Protocol

from antiphon_server.integration.connections.mcp.model import Config
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.runtime.concurrency.imports import imported

ADAPTER = "antiphon_server.integration.connections.mcp.adapters.consents"


class Begins(Protocol):
    """The page to open, the state that belongs to it, and what is kept until it comes back."""

    @property
    def url(self) -> str:
        """Of the page."""
        ...

    @property
    def state(self) -> str:
        """By which the redirect is known."""
        ...

    @property
    def pending(self) -> str:
        """A secret."""
        ...


async def begin(config: Config, outside: Outside) -> Begins:
    """Begin to ask a person, whose browser comes back to the credential's redirect.

    Raises DomainError AUTHORIZATION_FAILED, CONNECTION_UNAVAILABLE, EGRESS_DENIED.
    """
    adapter = await imported(ADAPTER)
    begun: Begins = await adapter.begun(config, outside)
    return begun


async def complete(config: Config, outside: Outside, pending: str, code: str, issuer: str) -> None:
    """Exchange the code, and keep what is granted.

    Raises DomainError AUTHORIZATION_FAILED, CONNECTION_UNAVAILABLE, EGRESS_DENIED.
    """
    adapter = await imported(ADAPTER)
    await adapter.completed(config, outside, pending, code, issuer)
