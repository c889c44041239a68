"""Servers that others wrote, as they come from npm, called through a whole server."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon_client import Client, text_of
from tests import npm
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess

VERSION = "2026.8.31"
SERVERS = ("everything", "filesystem", "memory")
pytestmark = [pytest.mark.needs("npm"), pytest.mark.proof]


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the servers' commands and of their Node.js."""
    packages = {f"@modelcontextprotocol/server-{name}": VERSION for name in SERVERS}
    return npm.install(tmp_path_factory.mktemp("npm"), packages)


@pytest.fixture
async def served(commands: Path, tmp_path: Path) -> AsyncIterator[tuple[Client, str, Path]]:
    """A client, a workspace with all three servers, and the folder that one of them may read."""
    folder = tmp_path / "files"
    folder.mkdir()
    path = {"PATH": f"{commands}:/usr/bin:/bin"}
    given = {"filesystem": [str(folder)]}
    programs = {
        name: {
            "command": str(commands / f"mcp-server-{name}"),
            "arguments": given.get(name, []),
            "variables": {**path, "MEMORY_FILE_PATH": str(tmp_path / "memory.json")},
        }
        for name in SERVERS
    }
    variables = {
        "ANTIPHON_PROGRAMS": json.dumps(programs),
        "ANTIPHON_CONNECTIONS": json.dumps([{"name": it, "program": it} for it in SERVERS]),
    }
    server = ServerProcess(tmp_path / "home", variables=variables)
    async with all_of([server]), server.client() as client:
        await client.create_conversation()
        workspaces = [it.workspace_id async for it in client.list_workspaces()]
        for name in SERVERS:
            await client.test_connection(workspaces[0], name)
        yield client, workspaces[0], folder


async def test_all_are_up_with_tools_of_their_own_names(
    served: tuple[Client, str, Path],
) -> None:
    """Side by side, none changes another's names."""
    client, workspace, _ = served
    listed = {it.name: it.status async for it in client.list_connections(workspace)}
    assert {it.state for it in listed.values()} == {pb.CONNECTION_STATE_UP}
    tools = [it.name async for it in client.list_tools(workspace)]
    assert {"everything.echo", "filesystem.read_text_file", "memory.read_graph"} <= set(tools)
    for name in SERVERS:
        assert sum(it.startswith(f"{name}.") for it in tools) == listed[name].tools > 5


async def test_a_folder_is_read_and_nothing_beside_it(served: tuple[Client, str, Path]) -> None:
    """server-filesystem: what is written is read; its own refusal is a failed result."""
    client, workspace, folder = served
    at = {"path": str(folder / "note.txt")}
    await client.call_tool(workspace, "filesystem.write_file", {**at, "content": "Grüße"})
    assert (folder / "note.txt").read_text() == "Grüße"
    read = await client.call_tool(workspace, "filesystem.read_text_file", at)
    assert "Grüße" in text_of(read.parts)
    beside = {"path": "/etc/hostname"}
    refused = await client.call_tool(workspace, "filesystem.read_text_file", beside)
    assert refused.failed
    assert "denied" in text_of(refused.parts).lower()


async def test_what_was_remembered_is_found(served: tuple[Client, str, Path]) -> None:
    """server-memory: its structured results are what its schemas promise."""
    client, workspace, _ = served
    entity = {"name": "Ada", "entityType": "person", "observations": ["wrote the first program"]}
    await client.call_tool(workspace, "memory.create_entities", {"entities": [entity]})
    found = await client.call_tool(workspace, "memory.search_nodes", {"query": "Ada"})
    said = text_of(found.parts)
    assert "wrote the first program" in said
    assert "not what the tool promises" not in said


async def test_everything_answers_at_once_and_is_stopped(
    served: tuple[Client, str, Path],
) -> None:
    """server-everything: 20 calls side by side, and a long one that is cancelled."""
    client, workspace, _ = served
    calls = [
        client.call_tool(workspace, "everything.echo", {"message": str(number)})
        for number in range(20)
    ]
    echoed = [text_of(it.parts) for it in await asyncio.gather(*calls)]
    assert echoed == [f"Echo: {number}" for number in range(20)]
    slow = client.call_tool(
        workspace, "everything.trigger-long-running-operation", {"duration": 60, "steps": 60}
    )
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slow, 1)
    again = await client.call_tool(workspace, "everything.echo", {"message": "still here"})
    assert text_of(again.parts) == "Echo: still here"
