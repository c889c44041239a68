"""How the installation is known to an authorization server, and scopes that turn out missing."""

from pathlib import Path

import pytest
from mcp.shared.auth import OAuthClientInformationFull
from pydantic import AnyUrl

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon_client import AntiphonError, Client
from tests.e2e.consents import REDIRECT, authorized, called, notes, served, told
from tests.fakes.authorized_mcp import MORE, SCOPE, Issuer, authorized_mcp

DOCUMENT = "https://antiphon.example/client.json"
SECRET = "s3cret/of:the+client"


def _client(client_id: str, secret: str | None, method: str) -> OAuthClientInformationFull:
    return OAuthClientInformationFull(
        client_id=client_id,
        client_secret=secret,
        redirect_uris=[AnyUrl(REDIRECT)],
        token_endpoint_auth_method=method,
        scope=SCOPE,
    )


async def _lacks(client: Client, workspace: str) -> None:
    with pytest.raises(AntiphonError) as refused:
        await called(client, workspace)
    assert refused.value.reason == "AUTHORIZATION_REQUIRED"


async def _renewed(issuer: Issuer, client: Client, workspace: str) -> None:
    """It works, and is renewed by the same client."""
    assert await called(client, workspace) == "noted: it"
    before = issuer.refreshed
    issuer.expire()
    assert await called(client, workspace) == "noted: it"
    assert issuer.refreshed == before + 1


async def test_a_missing_scope_is_said_shown_and_asked_for(tmp_path: Path) -> None:
    """The other tools go on; a new consent, at once and for what was missing too, ends it."""
    async with authorized_mcp() as issuer, served(tmp_path) as (_, client, workspace):
        await client.create_connection(workspace, notes(issuer))
        await authorized(client, workspace)
        assert await called(client, workspace) == "noted: it"
        issuer.wanted = {MORE}
        await _lacks(client, workspace)
        shown = (await client.test_connection(workspace, "notes")).status
        assert shown.state == pb.CONNECTION_STATE_DEGRADED
        assert (shown.error_reason, shown.tools) == ("AUTHORIZATION_REQUIRED", 1)
        after = await authorized(client, workspace)
        assert (after.status.state, after.status.error_reason) == (pb.CONNECTION_STATE_UP, "")
        assert set(issuer.asked[-1].scopes or ()) == {SCOPE, MORE}
        assert await called(client, workspace) == "noted: it"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_client_with_a_secret_is_known_by_it(tmp_path: Path, method: str) -> None:
    """The secret is the workspace's, by its name; where there is none the command names it."""
    async with (
        authorized_mcp(registers=False, methods=(method,)) as issuer,
        served(tmp_path) as (server, client, workspace),
    ):
        issuer.clients["us"] = _client("us", SECRET, method)
        named = {"client_id": "us", "client_secret": "notes-client"}
        await client.create_connection(workspace, notes(issuer, **named))
        at = ("--address", server.address, "--data-dir", str(server.data_dir))
        output = await told("authorize", "notes", *at)
        assert "no secret notes-client" in output
        assert "antiphon secrets put notes-client" in output
        await client.put_secret(workspace, "notes-client", SECRET)
        await authorized(client, workspace)
        await _renewed(issuer, client, workspace)


async def test_a_client_is_known_by_its_document(tmp_path: Path) -> None:
    """Where the authorization server reads such documents; nothing is registered there."""
    variables = {"ANTIPHON_OAUTH_CLIENT_URL": DOCUMENT}
    async with (
        authorized_mcp(registers=False, reads_documents=True) as issuer,
        served(tmp_path, variables) as (_, client, workspace),
    ):
        issuer.clients[DOCUMENT] = _client(DOCUMENT, None, "none")
        await client.create_connection(workspace, notes(issuer))
        await authorized(client, workspace)
        await _renewed(issuer, client, workspace)
        assert set(issuer.clients) == {DOCUMENT}


async def test_a_document_is_no_hindrance_where_none_is_read(tmp_path: Path) -> None:
    """The installation is registered as without one."""
    variables = {"ANTIPHON_OAUTH_CLIENT_URL": DOCUMENT}
    async with authorized_mcp() as issuer, served(tmp_path, variables) as (_, client, workspace):
        await client.create_connection(workspace, notes(issuer))
        await authorized(client, workspace)
        assert await called(client, workspace) == "noted: it"
        assert DOCUMENT not in issuer.clients
