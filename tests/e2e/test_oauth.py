"""A person consents to a connection: a real MCP server and its authorization server, over HTTP."""

import asyncio
import sys
from pathlib import Path

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN
from antiphon.integration.v1 import connection_pb2 as pb
from antiphon_client import AntiphonError, Client, Password
from tests.e2e.consents import REDIRECT, authorized, called, notes, pressed, served, told
from tests.fakes.authorized_mcp import SCOPE, authorized_mcp

PASSWORD = "a long sentence of mallory"


async def test_it_is_authorized_once_and_for_all_lives(tmp_path: Path) -> None:
    """By PKCE, for its own resource; a restart needs nobody, and a deletion ends it."""
    async with authorized_mcp() as issuer:
        async with served(tmp_path) as (_, client, workspace):
            await client.create_connection(workspace, notes(issuer))
            before = await client.test_connection(workspace, "notes")
            assert before.status.error_reason == "AUTHORIZATION_REQUIRED"
            after = await authorized(client, workspace)
            assert (after.status.state, after.status.tools) == (pb.CONNECTION_STATE_UP, 1)
            assert await called(client, workspace) == "noted: it"
            trail = [
                it async for it in client.list_security_events() if it.actor.startswith("user")
            ]
            consents = [it.connection_authorized for it in trail if "authorized" in str(it)]
            assert [(it.resource, it.name) for it in consents] == [
                (f"workspaces/{workspace}", "notes")
            ]
            assert not [it for it in trail if it.HasField("connection_updated")]
            (asked,) = issuer.asked
            assert (asked.resource, asked.scopes) == (f"{issuer.url}/mcp", [SCOPE])
            assert len(asked.code_challenge) == 43
        async with served(tmp_path) as (_, client, workspace):
            assert await called(client, workspace) == "noted: it"
            await client.delete_connection(workspace, "notes")
            await client.create_connection(workspace, notes(issuer))
            again = await client.test_connection(workspace, "notes")
            assert again.status.error_reason == "AUTHORIZATION_REQUIRED"
        assert len(issuer.asked) == 1


async def test_100_refused_at_once_are_renewed_once(tmp_path: Path) -> None:
    """All succeed; so it is after a restart; a refresh that is refused needs a person, no loop."""
    async with authorized_mcp() as issuer:
        async with served(tmp_path) as (_, client, workspace):
            await client.create_connection(workspace, notes(issuer))
            await authorized(client, workspace)
            issuer.expire()
            told = await asyncio.gather(*(called(client, workspace) for _ in range(100)))
            assert told == ["noted: it"] * 100
            assert issuer.refreshed == 1
        issuer.expire()
        async with served(tmp_path) as (_, client, workspace):
            await client.test_connection(workspace, "notes")
            told = await asyncio.gather(*(called(client, workspace) for _ in range(100)))
            assert told == ["noted: it"] * 100
            assert (issuer.refreshed, issuer.reused) == (2, 0)
            issuer.end()
            for _ in range(3):
                tested = await client.test_connection(workspace, "notes")
                assert tested.status.error_reason == "AUTHORIZATION_REQUIRED"
            assert (issuer.refreshed, issuer.reused) == (2, 0)


async def test_what_has_expired_is_renewed_before_it_is_used(tmp_path: Path) -> None:
    """Its server sees no expired token."""
    async with authorized_mcp(lasts_s=2) as issuer, served(tmp_path) as (_, client, workspace):
        await client.create_connection(workspace, notes(issuer))
        await authorized(client, workspace)
        await asyncio.sleep(2)
        assert await called(client, workspace) == "noted: it"
        assert issuer.refreshed >= 1
        assert issuer.reused == 0


async def test_another_answer_ends_nothing(tmp_path: Path) -> None:
    """A used state, another's, another connection's, another issuer, no code, a changed client."""
    async with authorized_mcp() as issuer, served(tmp_path) as (server, client, workspace):
        await client.create_connection(workspace, notes(issuer))

        async def why(redirect: dict[str, str], by: Client = client, name: str = "notes") -> str:
            with pytest.raises(AntiphonError) as caught:
                await by.complete_authorization(workspace, name, redirect)
            assert caught.value.reason == "AUTHORIZATION_FAILED", caught.value
            return caught.value.metadata["why"]

        async def back() -> dict[str, str]:
            begun = await client.authorize_connection(workspace, "notes", REDIRECT)
            return await pressed(begun.authorization_url)

        first = await back()
        await client.complete_authorization(workspace, "notes", first)
        assert "over" in await why(first)
        other = notes(issuer)
        other.name = "other"
        await client.create_connection(workspace, other)
        assert "over" in await why(await back(), name="other")
        user = await client.create_user("mallory", PASSWORD)
        await client.add_member(workspace, user.user_id, ROLE_ADMIN)
        async with Client.connect(server.address, Password("mallory", PASSWORD)) as mallory:
            assert "over" in await why(await back(), by=mallory)
        assert "fits not" in await why({**await back(), "iss": "http://evil.example"})
        denied = {"state": (await back())["state"], "error": "access_denied"}
        assert "access_denied" in await why(denied)
        assert "refused" in await why({**await back(), "code": "guessed"})
        late = await back()
        await client.update_connection(workspace, notes(issuer, client_id="us"), ["credential"])
        assert "changed" in await why(late)


@pytest.mark.parametrize(
    "redirect",
    ["https://evil.example/", "http://127.0.0.1/", "http://127.0.0.1.evil.example:1/", "x:y"],
)
async def test_a_redirect_is_to_the_persons_own_machine(tmp_path: Path, redirect: str) -> None:
    """No code goes anywhere else."""
    async with authorized_mcp() as issuer, served(tmp_path) as (_, client, workspace):
        await client.create_connection(workspace, notes(issuer))
        with pytest.raises(AntiphonError) as caught:
            await client.authorize_connection(workspace, "notes", redirect)
        assert caught.value.reason == "INVALID_ARGUMENT"


async def test_the_command_opens_a_browser_and_waits_for_it(tmp_path: Path) -> None:
    """It says the page, and how it went."""
    async with authorized_mcp() as issuer, served(tmp_path) as (server, client, workspace):
        at = ("--address", server.address, "--data-dir", str(server.data_dir))
        added = await told("add", "notes", "--mcp", f"{issuer.url}/mcp", "--oauth", *at)
        assert "connections authorize notes" in added
        browser = tmp_path / "browser"
        opens = "import sys, urllib.request\nurllib.request.urlopen(sys.argv[1]).read()\n"
        browser.write_text(f"#!{sys.executable}\n{opens}")
        browser.chmod(0o755)
        done = await told("authorize", "notes", *at, BROWSER=f"{browser} %s")
        assert "notes is up, 1 tools" in done
        assert await called(client, workspace) == "noted: it"
