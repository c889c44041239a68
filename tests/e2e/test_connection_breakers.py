"""Connections that are left alone: by what calls come to, and by hand on all servers."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from antiphon.auth.v1.audit_pb2 import BreakerSwitched
from antiphon.events.v1.event_pb2 import ConnectionChanged
from antiphon.integration.v1 import connection_pb2 as pb
from antiphon.integration.v1.model_pb2 import (
    BREAKER_STATE_CLOSED,
    BREAKER_STATE_HALF_OPEN,
    BREAKER_STATE_OPEN,
)
from antiphon_client import AntiphonError, Client, Password
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, until_it
from tests.fakes.postgres import Postgres
from tests.integration.connections.outside import Outside

PASSWORD = Password("ann", "a long sentence of ann")
PART = "connection.till"
CALL = {"what": "it"}
PROMISED_S = 2.0
"""So soon every server does what an operator said at one of them."""


@asynccontextmanager
async def _outside(home: Path) -> AsyncIterator[Outside]:
    outside = Outside("rest")
    async with outside.over_http(home):
        yield outside


def _variables(outside: Outside) -> dict[str, str]:
    """One of the installation, and workspaces may call this machine."""
    till = {"name": "till", "openapi": _url(outside)}
    return {
        "ANTIPHON_CONNECTIONS": json.dumps([till]),
        "ANTIPHON_EGRESS_ALLOW_HOSTS": '["localhost"]',
    }


def _url(outside: Outside) -> str:
    return f"http://localhost:{outside.port}/openapi.json"


async def _workspace(client: Client) -> str:
    await client.create_conversation()
    return (await anext(client.list_workspaces())).workspace_id


async def _fails(client: Client, workspace: str, name: str) -> str:
    """How a call was refused before it was made; empty if it was made."""
    try:
        await client.call_tool(workspace, f"{name}.do", CALL)
    except AntiphonError as error:
        return error.metadata.get("breaker", error.reason)
    return ""


async def _told(client: Client, workspace: str, count: int) -> list[ConnectionChanged]:
    """So many of the changes in the workspace's log, the oldest first."""
    seen: list[ConnectionChanged] = []
    events = aiter(client.follow(f"workspaces/{workspace}", earliest=True))
    async with asyncio.timeout(PATIENCE_S), aclosing(events):
        async for event in events:
            if event.HasField("connection_changed"):
                seen.append(event.connection_changed)
            if len(seen) == count:
                return seen
    raise AssertionError


async def test_one_that_fails_is_told_everywhere(tmp_path: Path) -> None:
    """In its status, in health, in its workspace's log; its tools are away; a stranger can't."""
    async with _outside(tmp_path) as outside:
        server = ServerProcess(tmp_path / "home", variables=_variables(outside))
        async with all_of([server]), server.client() as boss:
            workspace = await _workspace(boss)
            mine = pb.Connection(name="mine", openapi=pb.OpenApiTarget(url=_url(outside)))
            await boss.create_connection(workspace, mine)
            for name in ("mine", "till"):
                await boss.test_connection(workspace, name)
            assert (await boss.health([PART]))[PART]
            outside.does = "503"
            for name in ("mine", "till"):
                assert [await _fails(boss, workspace, name) for _ in range(6)] == [""] * 5 + [
                    "OPEN"
                ]
            assert outside.seen == 10
            status = (await boss.get_connection(workspace, "mine")).status
            assert status.state == pb.CONNECTION_STATE_DEGRADED
            assert (status.breaker, status.breaker_by_hand) == (BREAKER_STATE_OPEN, False)
            assert 0 < status.retry_after.ToTimedelta().total_seconds() <= 30
            assert not (await boss.health([PART]))[PART]
            assert (await boss.health([]))[""]
            states = [it.status for it in await _told(boss, workspace, 2)]
            assert [it.breaker for it in states] == [BREAKER_STATE_CLOSED, BREAKER_STATE_OPEN]
            assert states[1].error_reason == "TOOL_FAILED"
            await boss.create_user(PASSWORD.name, PASSWORD.password)
            async with server.client(PASSWORD) as ann:  # type: ignore[arg-type]
                with pytest.raises(AntiphonError) as refused:
                    await ann.set_connection_breaker("global", "till", BREAKER_STATE_CLOSED)
                assert refused.value.reason == "PERMISSION_DENIED"
            outside.does = "well"
            closed = await boss.set_connection_breaker(workspace, "mine", BREAKER_STATE_CLOSED)
            assert (closed.breaker, closed.state) != (BREAKER_STATE_HALF_OPEN, 0)
            assert await _fails(boss, workspace, "mine") == ""
            last = (await _told(boss, workspace, 3))[2].status
            assert (last.state, last.breaker) == (pb.CONNECTION_STATE_UP, BREAKER_STATE_CLOSED)


async def test_what_is_opened_by_hand_is_so_after_a_start(tmp_path: Path) -> None:
    """And after it was changed, or removed and made again; the audit trail has who did it."""
    async with _outside(tmp_path) as outside:
        server = ServerProcess(tmp_path / "home", variables=_variables(outside))
        mine = pb.Connection(name="mine", openapi=pb.OpenApiTarget(url=_url(outside)))
        async with all_of([server]), server.client() as client:
            workspace = await _workspace(client)
            await client.create_connection(workspace, mine)
            for where, name in (("global", "till"), (workspace, "mine")):
                opened = await client.set_connection_breaker(where, name, BREAKER_STATE_OPEN)
                assert opened.breaker_by_hand
            with pytest.raises(AntiphonError) as unknown:
                await client.set_connection_breaker(workspace, "none", BREAKER_STATE_OPEN)
            assert unknown.value.reason == "NOT_FOUND"
            mine.title = "Mine"
            await client.update_connection(workspace, mine, ["title"])
            assert await _fails(client, workspace, "mine") == "BY_HAND"
            await client.delete_connection(workspace, "mine")
            await client.create_connection(workspace, mine)
            assert await _fails(client, workspace, "mine") == "BY_HAND"
            me = (await client.who_am_i()).user.user_id
            await server.restart()
            async with server.client() as client:
                for name in ("mine", "till"):
                    await client.test_connection(workspace, name)
                    assert await _fails(client, workspace, name) == "BY_HAND"
                assert outside.seen == 0
                await client.set_connection_breaker(workspace, "mine", BREAKER_STATE_CLOSED)
                assert await _fails(client, workspace, "mine") == ""
                told = [
                    (it.actor, it.breaker_switched)
                    async for it in client.list_security_events()
                    if it.HasField("breaker_switched")
                ]
        own = f"workspaces/{workspace}/connections/mine"
        assert told == [
            (f"users/{me}", BreakerSwitched(resource=own, open=False)),
            (f"users/{me}", BreakerSwitched(resource=own, open=True)),
            (f"users/{me}", BreakerSwitched(resource="connections/till", open=True)),
        ]


async def test_it_holds_for_all_servers(tmp_path: Path, postgres: Postgres) -> None:
    """Within two seconds, whichever is told; what calls come to is each server's own view."""
    async with _outside(tmp_path) as outside:
        variables = {
            **_variables(outside),
            "ANTIPHON_DATABASE_URL": await postgres.database(),
            "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        }
        first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
        async with (
            all_of([first]),
            all_of([second]),
            first.client() as one,
            second.client(first.key) as other,
        ):
            workspace = await _workspace(one)
            for client in (one, other):
                await client.test_connection("global", "till")
            took = []
            for said_at, seen_at in ((one, other), (other, one)):
                await said_at.set_connection_breaker("global", "till", BREAKER_STATE_OPEN)
                took.append(await until_it(partial(_is_by_hand, seen_at, True)))
                calls = [await _fails(it, workspace, "till") for it in (one, other)]
                assert calls == ["BY_HAND"] * 2
                await seen_at.set_connection_breaker("global", "till", BREAKER_STATE_CLOSED)
                took.append(await until_it(partial(_is_by_hand, said_at, False)))
            assert max(took) < PROMISED_S
            assert outside.seen == 0
            outside.does = "503"
            assert [await _fails(one, workspace, "till") for _ in range(6)] == [""] * 5 + ["OPEN"]
            assert await _fails(other, workspace, "till") == ""


async def _is_by_hand(client: Client, wanted: bool) -> bool:
    return (await client.get_connection("global", "till")).status.breaker_by_hand is wanted
