"""What the rules need of identity providers."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from antiphon_server.auth.model.identities import Handshake, ProviderName, Vouched
from antiphon_server.runtime.concurrency.breaker import Breaker


class Unanswered(Exception):
    """A provider was unreachable or gave an invalid answer: which, and how.

    ``is_failure`` says that others would fare no better; not so where what was asked may be at
    fault, or there was too much at once. ``retry_after_s`` is what the provider said, if it did.
    """

    def __init__(
        self, sentence: str, *, is_failure: bool = True, retry_after_s: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.is_failure = is_failure
        self.retry_after_s = retry_after_s


class LeftAlone(Unanswered):
    """A provider was not asked, since it has failed too often."""


class ClientRefused(Unanswered):
    """A provider does not take the client of the settings for one of its own."""

    def __init__(self, sentence: str, error: str) -> None:
        super().__init__(sentence, is_failure=False)
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

    @property
    def breaker(self) -> Breaker:
        """Whether it is asked now."""
        ...

    def on_turn(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever its breaker was opened or closed."""
        ...

    def allows_redirect(self, uri: str) -> bool:
        """Whether a browser may be sent back there."""
        ...

    def issuer_for(self, issuer: str) -> str | None:
        """The issuer that an identity is linked at, for what an operator named; None for none."""
        ...

    async def authorization_url(self, handshake: Handshake) -> str:
        """Where to send the browser, unless it is known that nobody is there."""
        ...

    async def redeem(self, handshake: Handshake, code: str, issuer: str) -> Vouched:
        """Exchange a code of the redirect, whose parameter ``iss`` is ``issuer`` or empty.

        Raises also DomainError LOGIN_DENIED, PROVIDER_REFUSES_CLIENT.
        """
        ...

    async def verify(self, id_token: str, nonce: str) -> Vouched:
        """Whom an ID token is about that was issued to a client in the settings; once."""
        ...
