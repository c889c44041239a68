"""What a provider says of itself: OpenID Connect Discovery 1.0 and RFC 8414, RFC 9207."""

from typing import Any

import msgspec

from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.model.urls import is_safe
from antiphon_server.auth.ports.identity_providers import Unanswered

BASIC, POST = "client_secret_basic", "client_secret_post"


class Metadata(msgspec.Struct, frozen=True):
    """The part of a provider's metadata that a login needs."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: tuple[str, ...] = (BASIC,)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)


def metadata_url(settings: IdentityProviderSettings) -> str:
    """Where it stands (OpenID Connect Discovery 1.0, 4)."""
    return settings.issuer.rstrip("/") + "/.well-known/openid-configuration"


def read_metadata(document: dict[str, Any], issuer: str) -> Metadata:
    """The metadata of that issuer, with which alone a provider may speak for it.

    Raises Unanswered for another's, or for endpoints where secrets would not be safe.
    """
    try:
        found = msgspec.convert(document, Metadata)
    except msgspec.ValidationError as error:
        raise Unanswered(f"the discovery document is none: {error}") from error
    if found.issuer != issuer:
        raise Unanswered(f"the discovery document is of {found.issuer!r}, not of {issuer!r}")
    secure = issuer.startswith("https://")
    for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
        if not is_safe(url) or (secure and not url.startswith("https://")):
            raise Unanswered(f"the discovery document names an endpoint without https: {url!r}")
    return found
