"""Connections to a real server of WebSockets, through a whole server and its client."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon.integration.v1.connection_service_pb2 import HttpRequest, SocketMessage
from antiphon_client import AntiphonError, Client, text_of
from tests.e2e.go_httpbin import go_httpbin
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess

ECHO = "/websocket/echo?max_fragment_size=2048&max_message_size=1048576"
SAID = {"name": "say", "request": '{"kind": "said"}', "arguments_member": "what"}
SCHEMA = '{"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}'


@asynccontextmanager
async def _served(home: Path) -> AsyncIterator[tuple[Client, str, str]]:
    """A client, its workspace, and where a server echoes what it is told."""
    async with go_httpbin() as place:
        url = f"ws://{place}{ECHO}"
        told = {"url": url, "id_member": "id", "result_member": "what", "tools": [SAID]}
        installed = [{"name": "loud", "websocket": told}, {"name": "bare", "websocket": url}]
        variables = {
            "ANTIPHON_CONNECTIONS": json.dumps(installed),
            "ANTIPHON_EGRESS_ALLOW_NETWORKS": json.dumps(["127.0.0.0/8"]),
        }
        server = ServerProcess(home, variables=variables)
        async with all_of([server]), server.client() as client:
            await client.create_conversation()
            workspaces = [it.workspace_id async for it in client.list_workspaces()]
            yield client, workspaces[0], url


def _echo(name: str, url: str, **more: str) -> pb.Connection:
    tool = pb.WebSocketTool(name="say", input_schema=SCHEMA, **more)
    return pb.Connection(name=name, web_socket=pb.WebSocketTarget(url=url, tools=[tool]))


@pytest.mark.needs("go")
async def test_a_real_server_is_asked(tmp_path: Path) -> None:
    """By the operator's connection with ids, and by a workspace's, one request at a time."""
    async with _served(tmp_path) as (client, workspace, url):
        listed = {it.name: it.status async for it in client.list_connections(workspace)}
        assert listed["bare"].state == listed["loud"].state == pb.CONNECTION_STATE_UP
        assert (listed["bare"].tools, listed["loud"].tools) == (0, 1)
        said = await client.call_tool(workspace, "loud.say", {"text": "hello"})
        assert json.loads(text_of(said.parts)) == {"text": "hello"}
        await client.create_connection(workspace, _echo("mine", url))
        mine = await client.call_tool(workspace, "mine.say", {"text": "é" * 900})
        assert json.loads(text_of(mine.parts)) == {"text": "é" * 900}
        with pytest.raises(AntiphonError) as caught:
            await client.call_tool(workspace, "mine.say", {"text": 1})
        assert caught.value.reason == "TOOL_ARGUMENTS_INVALID"
        assert (await client.get_connection(workspace, "mine")).web_socket.tools[0].name == "say"


@pytest.mark.needs("go")
async def test_a_person_forwards_messages(tmp_path: Path) -> None:
    """Text and bytes, each with its answer, each in the ledger; other kinds take none."""
    async with _served(tmp_path) as (client, workspace, _):
        text = await client.forward(workspace, "loud", SocketMessage(text='{"id": 7}'))
        assert text.message.text == '{"id": 7}'
        binary = await client.forward(workspace, "bare", SocketMessage(binary=b"\x00\xff"))
        assert binary.message.binary == b"\x00\xff"
        calls = [it.model for it in (await client.get_usage(workspace)).calls]
        assert sorted(calls) == ["bare", "loud"]
        with pytest.raises(AntiphonError) as wrong:
            await client.forward(workspace, "bare", HttpRequest(method="GET", path="/"))
        assert (wrong.value.reason, wrong.value.metadata["instead"]) == (
            "FORWARD_UNSUPPORTED",
            "Forward with message, or Relay",
        )
        with pytest.raises(AntiphonError) as unknown:
            await client.forward(workspace, "nobody", SocketMessage(text="hello"))
        assert unknown.value.reason == "NOT_FOUND"


@pytest.mark.needs("go")
@pytest.mark.parametrize(
    ("url", "more", "reason"),
    [
        ("ws://10.0.0.1/ws", {}, "EGRESS_DENIED"),
        ("http://a.example/ws", {}, "INVALID_ARGUMENT"),
        ("wss://a.example/ws", {"request": "[]"}, "INVALID_ARGUMENT"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    tmp_path: Path, url: str, more: dict[str, str], reason: str
) -> None:
    """Before anybody is asked."""
    async with _served(tmp_path) as (client, workspace, _):
        with pytest.raises(AntiphonError) as caught:
            await client.create_connection(workspace, _echo("x", url, **more))
        assert caught.value.reason == reason
