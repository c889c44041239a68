"""Accounts at identity providers, and the logins that begin there.

Times are microseconds since the epoch, UTC. Hashes are SHA-256 digests.
"""

from dataclasses import dataclass, field
from typing import NewType

from antiphon_server.auth.model import SECOND
from antiphon_server.runtime.access.principal import UserId

ProviderName = NewType("ProviderName", str)
LoginId = NewType("LoginId", str)

LOGIN_LIFE = 600 * SECOND
MOST_IDENTITIES = 20
"""Of one user."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An account at an issuer that signs a user in. ``last_use_time`` is None until it did."""

    provider: ProviderName
    issuer: str
    subject: str
    user_id: UserId
    create_time: int
    last_use_time: int | None = None


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a provider vouches for: ``issuer`` and ``subject`` say who it is.

    ``names`` (the best first) and ``display_name`` are what the person goes by there:
    they may change, and may be another's tomorrow.
    """

    provider: ProviderName
    issuer: str
    subject: str
    names: tuple[str, ...] = ()
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class LoginFlow:
    """A login that was begun: at which provider, and where the browser comes back to."""

    login_id: LoginId
    provider: ProviderName
    redirect_uri: str
    expire_time: int


@dataclass(frozen=True, slots=True)
class Handshake:
    """What binds a provider's answer to the login that asked for it.

    ``state`` comes back in the redirect, ``nonce`` in the ID token; ``verifier`` is
    PKCE's, which only this server has (RFC 7636).
    """

    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartedLogin:
    """What a client needs to go on with a login."""

    authorization_url: str = field(repr=False)
    login_id: LoginId
    login_secret: str = field(repr=False)
    expire_time: int


@dataclass(frozen=True, slots=True)
class HeldToken:
    """An ID token that a backend holds, and the nonce it asked for, if any."""

    provider: ProviderName
    id_token: str = field(repr=False)
    nonce: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """What a client brings back from the provider; ``issuer`` is empty if there was none."""

    login_id: LoginId
    login_secret: str = field(repr=False)
    code: str = field(repr=False)
    state: str = field(repr=False)
    issuer: str
