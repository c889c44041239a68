"""A person's consent in two halves: up to the page that a browser opens, and from there on.

The SDK does both in one go, while somebody waits; here days or another server may lie in between.
"""

import secrets
from dataclasses import dataclass

import httpx2
from mcp.client.auth.oauth2 import PKCEParameters
from mcp.client.auth.utils import (
    extract_scope_from_www_auth,
    union_scopes,
    validate_authorization_response_iss,
)
from pydantic import BaseModel

from antiphon_server.integration.connections.mcp.adapters.exchange import Send, checked
from antiphon_server.integration.connections.mcp.adapters.granted import (
    Granted,
    Page,
    Provider,
    provider,
)
from antiphon_server.integration.connections.mcp.model import Endpoint, OAuth

CHALLENGE = "WWW-Authenticate"
_ASKED = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "antiphon", "version": "1"},
    },
}


class Pending(BaseModel):
    """What is kept of a consent that was begun: with whom, and the proof of PKCE."""

    granted: Granted
    verifier: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Begun:
    """The page that a person opens, the state that the redirect brings, and what is kept."""

    url: str
    state: str
    pending: Pending


async def refusal(url: str, send: Send) -> tuple[httpx2.Request, httpx2.Response]:
    """Ask the server without a token: what it answers, or as if it refused without a word."""
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }
    request = httpx2.Request("POST", url, headers=headers, json=_ASKED)
    response = await send(request)
    if response.status_code >= 500:
        response.raise_for_status()
    return request, response if response.status_code == 401 else httpx2.Response(401)


async def begin(
    url: str,
    credential: OAuth,
    granted: Granted,
    asked: tuple[httpx2.Request, httpx2.Response],
    send: Send,
) -> Begun:
    """Find the authorization server, be registered there if need be, and make the page's URL.

    ``asked`` is a request and its refusal. Raises what the SDK and ``send`` raise.
    """
    request, refused = asked
    known = await provider(url, credential, _usable(granted, credential))
    flow = known.async_auth_flow(request)
    try:
        outgoing, answer = await anext(flow), _asking(refused, credential, granted)
        while not isinstance(outgoing := await flow.asend(answer), Page):
            answer = await send(outgoing)
    finally:
        await flow.aclose()
    return _begun(url, credential, known)


async def complete(
    endpoint: Endpoint, pending: Pending, code: str, issuer: str, send: Send
) -> Granted:
    """Exchange the code for tokens. Raises what the SDK and ``send`` raise."""
    assert isinstance(endpoint.credential, OAuth)
    validate_authorization_response_iss(issuer or None, pending.granted.server)
    known = await provider(endpoint.url, endpoint.credential, pending.granted)
    await known.exchanged(await send(await known.exchange(code, pending.verifier)))
    return known.granted


def _usable(granted: Granted, credential: OAuth) -> Granted:
    """What is used again: a client that was registered for another redirect, or less, is not."""
    client = granted.client
    same = client is not None and credential.redirect_uri in map(str, client.redirect_uris or ())
    registered = client.scope if client else None
    enough = not registered or set((granted.wanted or "").split()) <= set(registered.split())
    return granted if same and enough else granted.model_copy(update={"client": None})


def _asking(refused: httpx2.Response, credential: OAuth, granted: Granted) -> httpx2.Response:
    """The refusal, asking for the scopes that are wanted here."""
    asked = " ".join(credential.scopes) or extract_scope_from_www_auth(refused)
    wanted = union_scopes(asked, granted.wanted)
    if not wanted or refused.status_code != 401:
        return refused
    challenge = refused.headers.get(CHALLENGE, "")
    return httpx2.Response(401, headers={CHALLENGE: f'Bearer scope="{wanted}", {challenge}'})


def _begun(url: str, credential: OAuth, known: Provider) -> Begun:
    context, proof, state = known.context, PKCEParameters.generate(), secrets.token_urlsafe(32)
    assert context.client_info is not None
    asked = {
        "response_type": "code",
        "client_id": context.client_info.client_id,
        "redirect_uri": credential.redirect_uri,
        "state": state,
        "code_challenge": proof.code_challenge,
        "code_challenge_method": "S256",
    }
    scope = context.client_metadata.scope
    if context.should_include_resource_param(context.protocol_version):
        asked["resource"] = context.get_resource_url()
    if scope:
        asked["scope"] = scope
        if "offline_access" in scope.split():
            asked["prompt"] = "consent"
    endpoint = f"{context.get_authorization_base_url(url)}/authorize"
    if context.oauth_metadata:
        endpoint = str(context.oauth_metadata.authorization_endpoint)
    page = str(httpx2.URL(checked(url, endpoint)).copy_merge_params(asked))
    granted = known.granted.model_copy(update={"tokens": None, "expires_at": None})
    redirect_uri = credential.redirect_uri
    pending = Pending(granted=granted, verifier=proof.code_verifier, redirect_uri=redirect_uri)
    return Begun(page, state, pending)
