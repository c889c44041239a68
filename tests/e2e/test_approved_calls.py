"""What a person approves is the call of what was there when it was proposed, on real servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from antiphon.events.v1.event_pb2 import (
    TOOL_CALL_OUTCOME_FAILED,
    TOOL_CALL_OUTCOME_SUCCEEDED,
    Event,
)
from antiphon.integration.v1 import connection_pb2 as pb
from antiphon_client import Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.tool_server import lines_of
from tests.proofs.tools.turns import tool_server

NOTE = "mail.note"
MODEL: dict[str, Any] = {
    "name": "scripted/echo",
    "kind": "scripted",
    "model": "echo",
    "script": {"calls": {"Note it": [{"tool": NOTE, "arguments": '{"key": "a"}'}]}},
}
HERE = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]'}


def _mail(url: str, title: str = "") -> pb.Connection:
    return pb.Connection(name="mail", title=title, mcp=pb.McpTarget(url=url))


async def _connected(client: Client, workspace: str, connection: pb.Connection) -> None:
    await client.create_connection(workspace, connection)
    tested = await client.test_connection(workspace, "mail")
    assert tested.status.state == pb.CONNECTION_STATE_UP


@asynccontextmanager
async def _waiting(
    home: Path, url: str
) -> AsyncIterator[tuple[ServerProcess, Client, str, str, Event]]:
    """A server, its client and workspace; a conversation in which a call waits, and that."""
    server = ServerProcess(home / "server", models=[MODEL], variables=HERE)
    async with all_of([server]), server.client() as client:
        made = await client.create_conversation(tools=[NOTE])
        await _connected(client, made.workspace_id, _mail(url))
        await client.dispatch(made.conversation_id, "Note it")
        proposed = await _seen(client, made.conversation_id, "tool_call_proposed")
        yield server, client, made.workspace_id, made.conversation_id, proposed


async def _seen(client: Client, conversation: str, kind: str) -> Event:
    """The first event of that kind."""
    events = aiter(client.follow(f"conversations/{conversation}", earliest=True))
    async with asyncio.timeout(PATIENCE_S), aclosing(events):
        async for event in events:
            if event.WhichOneof("payload") == kind:
                return event
    raise AssertionError


async def _approved(client: Client, conversation: str, proposed: Event) -> Any:
    """Approve the call; what came of it."""
    call = proposed.tool_call_proposed
    await client.decide_tool_call(conversation, proposed.turn_id, call, approve=True)
    return (await _seen(client, conversation, "tool_call_finished")).tool_call_finished


@pytest.mark.parametrize("how", ["made anew", "updated", "before a restart"])
async def test_an_approved_call_goes_nowhere_else(tmp_path: Path, how: str) -> None:
    """Though a connection of its name, which has the same tool, leads elsewhere by then."""
    ledgers = [tmp_path / it for it in ("one", "other")]
    async with (
        tool_server(ledgers[0]) as one,
        tool_server(ledgers[1]) as other,
        _waiting(tmp_path, one) as (server, client, workspace, conversation, proposed),
    ):
        if how == "updated":
            await client.update_connection(workspace, _mail(other), ["mcp"])
        else:
            await client.delete_connection(workspace, "mail")
            await _connected(client, workspace, _mail(other))
        if how == "before a restart":
            await server.restart()
        await client.test_connection(workspace, "mail")
        finished = await _approved(client, conversation, proposed)
        assert finished.outcome == TOOL_CALL_OUTCOME_FAILED
        assert b"TOOL_CHANGED" in finished.error.SerializeToString()
    assert [lines_of(it) for it in ledgers] == [[], []]


async def test_what_leads_to_the_same_place_is_the_same(tmp_path: Path) -> None:
    """However the connection is called, and though it was made anew."""
    ledger = tmp_path / "one"
    async with (
        tool_server(ledger) as one,
        _waiting(tmp_path, one) as (_, client, workspace, conversation, proposed),
    ):
        await client.delete_connection(workspace, "mail")
        await _connected(client, workspace, _mail(one, "Letters"))
        finished = await _approved(client, conversation, proposed)
        assert finished.outcome == TOOL_CALL_OUTCOME_SUCCEEDED
    assert [it.what for it in lines_of(ledger)] == ["ran"]
