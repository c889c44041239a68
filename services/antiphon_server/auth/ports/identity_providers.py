"""What the rules need of identity providers."""

from collections.abc import Mapping
from typing import Any, Protocol

from antiphon_server.auth.model.identities import Handshake, ProviderName, Vouched


class Unanswered(Exception):
    """A provider was unreachable or gave an invalid answer: which, and how."""


class ClientRefused(Unanswered):
    """A provider does not take the client of the settings for one of its own."""

    def __init__(self, sentence: str, error: str) -> None:
        super().__init__(sentence)
        self.error = error


class ProviderWire(Protocol):
    """Calls of a provider's endpoints: bounded in time and size, no redirect followed."""

    async def get(self, url: str) -> dict[str, Any]:
        """The JSON object that stands there. Raises Unanswered."""
        ...

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """The HTTP status and JSON object that answer a form. Raises Unanswered."""
        ...


class IdentityProvider(Protocol):
    """Vouches for people who sign in there.

    All raise DomainError PROVIDER_UNAVAILABLE, and PROVIDER_ANSWER_INVALID for an
    answer that is not what was asked for, or not from this provider.
    """

    @property
    def name(self) -> ProviderName:
        """What it is called in the settings."""
        ...

    @property
    def display_name(self) -> str:
        """What people are shown."""
        ...

    @property
    def issuer(self) -> str:
        """The issuer identifier in the settings."""
        ...

    @property
    def sign_up(self) -> bool:
        """Whether somebody without an account gets one."""
        ...

    def allows_redirect(self, uri: str) -> bool:
        """Whether a browser may be sent back there."""
        ...

    def issuer_for(self, issuer: str) -> str | None:
        """The issuer that an identity is linked at, for what an operator named; None for none."""
        ...

    async def authorization_url(self, handshake: Handshake) -> str:
        """Where to send the browser."""
        ...

    async def redeem(self, handshake: Handshake, code: str, issuer: str) -> Vouched:
        """Exchange a code of the redirect, whose parameter ``iss`` is ``issuer`` or empty.

        Raises also DomainError LOGIN_DENIED, PROVIDER_REFUSES_CLIENT.
        """
        ...

    async def verify(self, id_token: str, nonce: str) -> Vouched:
        """Whom an ID token is about that was issued to a client in the settings; once."""
        ...
