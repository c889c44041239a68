"""Connections to real MCP servers, through a whole server and its client."""

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path

import pytest

from antiphon.events.v1.event_pb2 import ConnectionChanged
from antiphon.integration.v1 import connection_pb2 as pb
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS
from antiphon_client import AntiphonError, Client, text_of
from antiphon_server.app.schemas import DATABASE_FILE
from antiphon_server.cli.doctor.connections import states_of_connections
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S

TIME = str(Path(sys.executable).with_name("mcp-server-time"))
ZURICH = {"timezone": "Europe/Zurich"}


def _settings(home: Path, others: Mapping[str, str]) -> dict[str, str]:
    """A program of a path that no other test's has, and one that is not there."""
    own = home / "mcp-server-time"
    own.symlink_to(TIME)
    programs = {"time": {"command": str(own)}, "none": {"command": "/nowhere/at/all"}}
    gone = {"name": "gone", "mcp": "http://127.0.0.1:9/mcp"}
    more = [{"name": name, "mcp": url} for name, url in others.items()]
    return {
        "ANTIPHON_PROGRAMS": json.dumps(programs),
        "ANTIPHON_CONNECTIONS": json.dumps([{"name": "clock", "program": "time"}, gone, *more]),
        "ANTIPHON_MAX_PROGRAMS": "2",
    }


async def _settled(client: Client, workspace: str) -> dict[str, pb.Connection]:
    """The connections by name, when it is known of each whether it is there."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            listed = {it.name: it async for it in client.list_connections(workspace)}
            states = [it.status.state for it in listed.values()]
            if pb.CONNECTION_STATE_CONNECTING not in states:
                return listed
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _served(
    home: Path, others: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[ServerProcess, Client, str]]:
    server = ServerProcess(home, variables=_settings(home, others or {}))
    async with all_of([server]), server.client() as client:
        await client.create_conversation()
        workspaces = [it.workspace_id async for it in client.list_workspaces()]
        yield server, client, workspaces[0]


@asynccontextmanager
async def _silent() -> AsyncIterator[str]:
    """The address of a server that takes every request and answers none."""
    ended = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
    finally:
        ended.set()
        server.close()


def _program(name: str, program: str = "time") -> pb.Connection:
    return pb.Connection(name=name, mcp_program=pb.McpProgram(program=program))


def _over_http(name: str, url: str) -> pb.Connection:
    return pb.Connection(name=name, mcp=pb.McpTarget(url=url))


async def test_a_real_server_is_called_and_a_dead_one_hurts_nobody(tmp_path: Path) -> None:
    """Those of the installation are there for all; their tools ask before they are called."""
    async with _served(tmp_path) as (_, client, workspace):
        listed = await _settled(client, workspace)
        assert listed["clock"].status.state == pb.CONNECTION_STATE_UP
        assert listed["gone"].status.state == pb.CONNECTION_STATE_DOWN
        assert listed["gone"].status.error_reason == "CONNECTION_UNAVAILABLE"
        assert listed["gone"].status.error_cause == pb.CONNECTION_CAUSE_REFUSED
        examined = {name: told async for name, *told in states_of_connections(client)}
        state, is_down, advice = examined["gone"]
        assert (state, is_down) == ("down (REFUSED)", True)
        assert "Nothing listens at its port" in str(advice)
        tools = [it.name async for it in client.list_tools(workspace)]
        assert "clock.get_current_time" in tools
        result = await client.call_tool(workspace, "clock.get_current_time", ZURICH)
        assert json.loads(text_of(result.parts))["timezone"] == "Europe/Zurich"
        with pytest.raises(AntiphonError) as caught:
            await client.delete_connection(workspace, "clock")
        assert caught.value.reason == "INVALID_ARGUMENT"


async def test_a_workspace_adds_changes_and_removes_one(tmp_path: Path) -> None:
    """The same again changes nothing; another under the name is refused, and so is an old etag."""
    async with _served(tmp_path) as (_, client, workspace):
        made = await client.create_connection(workspace, _program("mine"))
        assert (await client.create_connection(workspace, _program("mine"))).etag == made.etag
        with pytest.raises(AntiphonError) as taken:
            await client.create_connection(workspace, _program("mine", "none"))
        assert taken.value.reason == "ALREADY_EXISTS"
        tested = await client.test_connection(workspace, "mine")
        assert (tested.status.state, tested.status.tools) == (pb.CONNECTION_STATE_UP, 2)
        await client.set_tool_rule(workspace, "mine.convert_time", TOOL_RULE_ALWAYS)
        off = pb.Connection(
            name="mine", disabled=True, etag=made.etag, mcp_program=made.mcp_program
        )
        changed = await client.update_connection(workspace, off, ["disabled"])
        assert changed.status.state == pb.CONNECTION_STATE_DISABLED
        with pytest.raises(AntiphonError) as old:
            await client.update_connection(workspace, off, ["disabled"])
        assert old.value.reason == "ETAG_MISMATCH"
        with pytest.raises(AntiphonError) as away:
            await client.call_tool(workspace, "mine.convert_time", {})
        assert away.value.reason == "CONNECTION_UNAVAILABLE"
        await client.delete_connection(workspace, "mine")
        await client.delete_connection(workspace, "mine")
        with pytest.raises(AntiphonError) as removed:
            await client.get_connection(workspace, "mine")
        assert removed.value.reason == "NOT_FOUND"


async def test_a_tool_of_a_connection_that_is_not_up_is_not_said_to_be_missing(
    tmp_path: Path,
) -> None:
    """Whoever asks is told which connection it is, how that is, and why; up, it is missing."""
    async with _silent() as url, _served(tmp_path, {"mute": url}) as (_, client, workspace):
        off = _program("off")
        off.disabled = True
        await client.create_connection(workspace, off)

        async def why(asking: Awaitable[object]) -> tuple[str, Mapping[str, str]]:
            with pytest.raises(AntiphonError) as caught:
                await asking
            return caught.value.reason, caught.value.metadata

        down = {"connection": "gone", "state": "DOWN", "cause": "REFUSED"}
        for asking in (
            client.call_tool(workspace, "gone.any", {}),
            client.get_tool(workspace, "gone.any"),
            client.set_tool_rule(workspace, "gone.any", TOOL_RULE_ALWAYS),
        ):
            assert await why(asking) == ("CONNECTION_UNAVAILABLE", down)
        disabled = {"connection": "off", "state": "DISABLED"}
        called = await why(client.call_tool(workspace, "off.get_current_time", ZURICH))
        assert called == ("CONNECTION_UNAVAILABLE", disabled)
        connecting = {"connection": "mute", "state": "CONNECTING"}
        called = await why(client.call_tool(workspace, "mute.any", {}))
        assert called == ("CONNECTION_UNAVAILABLE", connecting)
        for name in ("clock.any", "nobody.any"):
            missing = ("TOOL_NOT_FOUND", {"tool": name})
            assert await why(client.call_tool(workspace, name, {})) == missing


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        (_program("x", "unknown"), "NOT_FOUND"),
        (pb.Connection(name="x", mcp=pb.McpTarget(url="http://10.0.0.1/mcp")), "EGRESS_DENIED"),
        (pb.Connection(name="x", mcp=pb.McpTarget(url="http://127.1/mcp")), "EGRESS_DENIED"),
        (pb.Connection(name="x", mcp=pb.McpTarget(url="wss://a.example/")), "INVALID_ARGUMENT"),
        (
            pb.Connection(name="antiphon", mcp=pb.McpTarget(url="https://a.example")),
            "ALREADY_EXISTS",
        ),
        (pb.Connection(name="clock", mcp=pb.McpTarget(url="https://a.example")), "ALREADY_EXISTS"),
        (pb.Connection(name="x"), "INVALID_ARGUMENT"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    tmp_path: Path, connection: pb.Connection, reason: str
) -> None:
    """Before anybody is asked."""
    async with _served(tmp_path) as (_, client, workspace):
        with pytest.raises(AntiphonError) as caught:
            await client.create_connection(workspace, connection)
        assert caught.value.reason == reason


async def test_its_changes_are_in_the_log_and_its_program_ends(tmp_path: Path) -> None:
    """Up, and removed; a program that is not there is down, and one too many is refused."""
    async with _served(tmp_path) as (_, client, workspace):
        await client.create_connection(workspace, _program("mine"))
        await client.test_connection(workspace, "mine")
        await client.create_connection(workspace, _program("many"))
        many = await client.test_connection(workspace, "many")
        assert many.status.error_reason == "LIMIT_EXCEEDED"
        await client.create_connection(workspace, _program("wrong", "none"))
        wrong = await client.test_connection(workspace, "wrong")
        assert wrong.status.state == pb.CONNECTION_STATE_DOWN
        await client.delete_connection(workspace, "mine")
        seen = await _until_removed(client, workspace, "mine")
        assert [it.status.state for it in seen] == [pb.CONNECTION_STATE_UP, 0]
        async with asyncio.timeout(PATIENCE_S):
            while len(_programs(tmp_path)) > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert not _programs(tmp_path)


async def _until_removed(client: Client, workspace: str, name: str) -> list[ConnectionChanged]:
    seen = []
    events = aiter(client.follow(f"workspaces/{workspace}", earliest=True))
    async with asyncio.timeout(PATIENCE_S), aclosing(events):
        async for event in events:
            changed = event.connection_changed
            if event.HasField("connection_changed") and changed.name == name:
                seen.append(changed)
                if not changed.HasField("status"):
                    return seen
    raise AssertionError


def _programs(home: Path) -> list[str]:
    """The processes that a test's connections have started, and which run."""
    found = []
    for process in filter(str.isdecimal, os.listdir("/proc")):
        try:
            told = Path("/proc", process, "cmdline").read_text()
        except OSError:
            continue
        if str(home) in told and "mcp-server-time" in told:
            found.append(process)
    return found


async def test_one_of_a_newer_server_is_listed_and_the_others_work(tmp_path: Path) -> None:
    """As in an upgrade, or after a step back; who does not know its kind says so, over the wire."""
    async with _served(tmp_path) as (server, client, workspace):
        await client.create_connection(workspace, _program("mine"))
        await client.create_connection(workspace, _program("new"))
        await asyncio.to_thread(_made_newer, server.data_dir, "new")
        listed = {it.name: it async for it in client.list_connections(workspace)}
        assert listed["mine"].status.state == pb.CONNECTION_STATE_UP
        assert listed["new"].WhichOneof("target") is None
        assert listed["new"].status.state == pb.CONNECTION_STATE_DOWN
        assert listed["new"].status.error_reason == "CONNECTION_NEWER"
        assert await client.call_tool(workspace, "mine.get_current_time", ZURICH)
        with pytest.raises(AntiphonError) as refused:
            await client.update_connection(workspace, _program("new"), ["title"])
        assert refused.value.reason == "CONNECTION_NEWER"
        await client.delete_connection(workspace, "new")
        assert "new" not in {it.name async for it in client.list_connections(workspace)}


def _made_newer(data_dir: Path, name: str) -> None:
    """Store a target of a kind to come in its row, as a newer server on the same database does."""
    with closing(sqlite3.connect(data_dir / DATABASE_FILE, timeout=PATIENCE_S)) as database:
        here = "integration_connections WHERE name = ?"
        (record,) = database.execute(f"SELECT record FROM {here}", (name,)).fetchone()
        changed = json.dumps({**json.loads(record), "target": {"type": "pigeon", "loft": "north"}})
        update = "UPDATE integration_connections SET record = ?, etag = ? WHERE name = ?"
        database.execute(update, (changed.encode(), "etag_of_a_newer_server", name))
        database.commit()
