"""What an MCP connection is made of."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from antiphon_server.integration.tools.model import SourceName

Revision: TypeAlias = Literal["auto", "2025-11-25", "2026-07-28"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may cost; times in seconds."""

    open_s: float = 20.0
    call_s: float = 60.0
    close_s: float = 5.0
    max_bytes: int = 8 * 1024 * 1024
    """Of one answer's body, one event, one line."""
    max_pages: int = 100
    """Of a list of tools."""
    max_tools: int = 1_000
    max_rounds: int = 4
    """How often a server may ask back in one call."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that is sent as it is."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth:
    """A person's consent (RFC 6749 with PKCE).

    ``client_id`` is how the installation is known at ``issuer``; "" to be known by its metadata at
    ``metadata_url``, or to be registered where the authorization server takes no such metadata.
    ``client_secret`` is asked for when it is sent. ``scopes`` stand in place of those that the
    server asks for.
    """

    redirect_uri: str = "http://127.0.0.1/callback"
    client_id: str = ""
    client_secret: Callable[[], Awaitable[str]] | None = field(default=None, repr=False)
    issuer: str = ""
    metadata_url: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """A program's own consent: by a secret, or by assertions that its private key signs."""

    client_id: str
    issuer: str
    client_secret: str = field(default="", repr=False)
    private_key_pem: str = field(default="", repr=False)
    algorithm: str = "ES256"


Credential: TypeAlias = Bearer | OAuth | ClientCredentials | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server over streamable HTTP."""

    url: str
    credential: Credential = None


@dataclass(frozen=True, slots=True)
class Program:
    """A server over stdio. It has no variables but these and a plain PATH."""

    command: str
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """A connection: its name, where it is, and its limits."""

    name: SourceName
    target: Endpoint | Program
    revision: Revision = "auto"
    limits: Limits = Limits()
