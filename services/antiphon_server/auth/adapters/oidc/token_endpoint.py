"""A provider's token endpoint, where codes are redeemed."""

import base64
from typing import Any
from urllib.parse import quote_plus

from antiphon_server.auth.adapters.oidc.endpoints import is_refusal, loggable
from antiphon_server.auth.model.identities import Handshake
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.ports.identity_providers import ClientRefused, ProviderWire, Unanswered
from antiphon_server.auth.service.id_tokens import Wrong
from antiphon_server.auth.service.provider_metadata import BASIC, POST, Metadata
from antiphon_server.runtime.errors import DomainError, Reason

_CLIENT_ERRORS = ("invalid_client", "unauthorized_client")


async def exchange(
    settings: IdentityProviderSettings,
    metadata: Metadata,
    wire: ProviderWire,
    handshake: Handshake,
    code: str,
) -> dict[str, Any]:
    """Redeem a code (RFC 6749, 4.1.3; RFC 7636, 4.5).

    Raises Wrong for a code that is none, DomainError LOGIN_DENIED, ClientRefused, Unanswered.
    """
    # What is no code at all (RFC 6749, A.11) need not be shown to anybody, who might fail of it.
    if not (code.isascii() and code.isprintable()):
        raise Wrong("code")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": handshake.redirect_uri,
        "code_verifier": handshake.verifier,
    }
    whose, headers = _authentication(settings, metadata)
    status, answer = await wire.post(metadata.token_endpoint, form | whose, headers)
    if status == 200:
        return answer
    raise _refusal(f"{loggable(metadata.token_endpoint)}: HTTP status {status}", status, answer)


def _refusal(what: str, status: int, answer: dict[str, Any]) -> Exception:
    """What an error of RFC 6749, 5.2, means here."""
    error = answer.get("error")
    if error == "access_denied":
        return DomainError(Reason.LOGIN_DENIED)
    if error == "invalid_grant":
        return Wrong("code")
    told = f"{what}, error {error!r:.80}"
    if error in _CLIENT_ERRORS:
        return ClientRefused(f"{told}; are client_id and client_secret_env right?", error)
    return Unanswered(told, is_failure=not is_refusal(status))


def _authentication(
    settings: IdentityProviderSettings, metadata: Metadata
) -> tuple[dict[str, str], dict[str, str]]:
    """What proves the client: fields of the form, and headers (RFC 6749, 2.3.1)."""
    secret, methods = settings.client_secret, metadata.token_endpoint_auth_methods_supported
    if not secret:
        return {"client_id": settings.client_id}, {}
    if BASIC not in methods and POST in methods:
        return {"client_id": settings.client_id, "client_secret": secret}, {}
    both = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
    return {}, {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}
