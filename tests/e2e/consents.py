"""Consenting as a person does: a server, a connection to notes, a browser that presses yes."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon_client import Client, text_of
from tests.e2e.process import COMMAND, all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.authorized_mcp import Issuer

REDIRECT = "http://127.0.0.1:1/callback"
LOCAL = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": json.dumps(["127.0.0.1/32"])}


@asynccontextmanager
async def served(
    home: Path, variables: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[ServerProcess, Client, str]]:
    """A server, its operator's client, and a workspace."""
    server = ServerProcess(home, variables={**LOCAL, **(variables or {})})
    async with all_of([server]), server.client() as client:
        await client.create_conversation()
        workspaces = [it.workspace_id async for it in client.list_workspaces()]
        yield server, client, workspaces[0]


def notes(issuer: Issuer, **oauth: str) -> pb.Connection:
    """The connection that somebody authorizes."""
    credential = pb.Credential(oauth=pb.OAuthCredential(**oauth))
    return pb.Connection(
        name="notes", mcp=pb.McpTarget(url=f"{issuer.url}/mcp"), credential=credential
    )


async def pressed(url: str) -> dict[str, str]:
    """Open the page; this authorization server consents at once. What the redirect carries."""
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(url, allow_redirects=False) as response,
    ):
        return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


async def authorized(client: Client, workspace: str, ends: Client | None = None) -> pb.Connection:
    """Begin by ``client``, and end by it or by ``ends``."""
    begun = await client.authorize_connection(workspace, "notes", REDIRECT)
    return await (ends or client).complete_authorization(
        workspace, "notes", await pressed(begun.authorization_url)
    )


async def called(client: Client, workspace: str) -> str:
    """What taking a note returns."""
    result = await client.call_tool(workspace, "notes.note", {"text": "it"})
    return text_of(result.parts)


async def told(*command: str, **variables: str) -> str:
    """What a command about connections prints; one that outlasts this ends with it."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "connections",
        *command,
        env={**os.environ, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode()
