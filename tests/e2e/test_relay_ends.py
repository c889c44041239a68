"""How relays end: what is said, and that what is outside learns of it."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.auth.v1 import auth_service_pb2 as auth_pb
from antiphon.auth.v1.access_pb2 import ROLE_MEMBER
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.integration.v1 import connection_pb2
from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon_client import AntiphonError
from tests.access.people import bearer, sign_in
from tests.e2e.callers import PASSWORD
from tests.e2e.refusals import reason_in, refused
from tests.e2e.relay_stage import Stage, frame_of, staged
from tests.e2e.until import PATIENCE_S, until

REASON = "RELAY_CLOSE_REASON_"


async def _opened(stage: Stage, metadata: Any = None, **more: Any) -> Any:
    """A relay that is open, on a stream that goes both ways."""
    stream = stage.stub.Relay(metadata=metadata or await stage.metadata())
    await stream.write(pb.RelayRequest(open=stage.request(**more)))
    await frame_of(stream, "opened")
    return stream


async def _say(stream: Any, text: str) -> None:
    await stream.write(pb.RelayRequest(message=pb.SocketMessage(text=text)))


async def _ended(stream: Any) -> tuple[str, str]:
    """The reason of the last frame, and that of its error."""
    ended = await frame_of(stream, "ended")
    assert await stream.read() is grpc.aio.EOF
    reason = pb.RelayCloseReason.Name(ended.reason).removeprefix(REASON)
    return reason, reason_in(ended.error) if ended.HasField("error") else ""


async def test_what_is_outside_ends_it(tmp_path: Path) -> None:
    """It is lost, or says too much at once; what it has said before arrives."""
    async with staged(tmp_path) as stage:
        cut = await _opened(stage)
        await _say(cut, "hello")
        await _say(cut, "cut")
        assert (await frame_of(cut, "message")).text == "hello"
        assert await _ended(cut) == ("FAILED", "CONNECTION_UNAVAILABLE")
        async with stage.client.relay(stage.workspace, "it") as relay:
            await relay.send("cut")
            with pytest.raises(AntiphonError) as lost:
                await anext(aiter(relay))
        assert lost.value.reason == "CONNECTION_UNAVAILABLE"
        large = await _opened(stage)
        await _say(large, f"large {1 << 20}")
        assert len((await frame_of(large, "message")).text) == 1 << 20
        await _say(large, f"large {(1 << 20) + 1}")
        assert await _ended(large) == ("FAILED", "TOOL_FAILED")
        await until(lambda: stage.outside.open <= 1)


async def test_its_time_ends_it(tmp_path: Path) -> None:
    """In time, also while messages come."""
    async with staged(tmp_path) as stage:
        limit, began = pb.OpenRelayRequest(), time.monotonic()
        limit.time_limit.FromMilliseconds(1500)
        stream = await _opened(stage, time_limit=limit.time_limit)
        await _say(stream, "flood")
        assert await _ended(stream) == ("EXPIRED", "")
        assert time.monotonic() - began >= 1.4
        await until(lambda: stage.outside.open <= 1)


@pytest.mark.parametrize("way", ["disabled", "changed", "removed", "held to other hosts"])
async def test_a_connection_that_is_another_ends_it(tmp_path: Path, way: str) -> None:
    """Whatever was done to it, whoever did it."""
    async with staged(tmp_path) as stage:
        stream, client = await _opened(stage), stage.client
        changed = connection_pb2.Connection(name="it", disabled=True, title="other")
        changed.web_socket.url = stage.outside.url
        if way == "disabled":
            await client.update_connection(stage.workspace, changed, ["disabled"])
        elif way == "changed":
            await client.update_connection(stage.workspace, changed, ["title"])
        elif way == "removed":
            await client.delete_connection(stage.workspace, "it")
        else:
            rules = connection_pb2.EgressRules(hosts=["elsewhere.example"])
            await client.set_egress_rules(stage.workspace, rules)
        error = "NOT_FOUND" if way == "removed" else ""
        assert await _ended(stream) == ("CONNECTION_CHANGED", error)
        await until(lambda: stage.outside.open <= 1)


async def _member(stage: Stage) -> tuple[str, str]:
    """A new member of the workspace: their id and token."""
    user = await stage.client.create_user("bea", PASSWORD)
    await stage.client.add_member(stage.workspace, user.user_id, ROLE_MEMBER)
    return user.user_id, await sign_in(stage.channel, "bea")


async def test_access_that_is_taken_away_ends_it(tmp_path: Path) -> None:
    """By the role, or the session: nothing more is said outside in that person's name."""
    async with staged(tmp_path) as stage:
        user_id, token = await _member(stage)
        metadata = bearer(token)

        async def ends(change: Awaitable[Any]) -> tuple[str, str]:
            stream = await _opened(stage, metadata)
            await change
            return await _ended(stream)

        logout = AuthServiceStub(stage.channel).Logout
        assert await ends(logout(auth_pb.LogoutRequest(), metadata=metadata)) == (
            "SESSION_ENDED",
            "SESSION_REVOKED",
        )
        metadata = bearer(await sign_in(stage.channel, "bea"))
        gone = stage.client.remove_member(stage.workspace, user_id)
        assert await ends(gone) == ("ACCESS_REMOVED", "NOT_FOUND")
        await until(lambda: stage.outside.open <= 1)


async def test_a_new_token_is_of_the_same_user(tmp_path: Path) -> None:
    """Then the stream belongs to its session; another user's ends it."""
    async with staged(tmp_path) as stage:
        _, token = await _member(stage)
        newer = await sign_in(stage.channel, "bea")
        stream = await _opened(stage, bearer(token))
        refresh = pb.RefreshRelayToken(access_token=newer)
        await stream.write(pb.RelayRequest(refresh=refresh))
        await _say(stream, "still here")
        assert (await frame_of(stream, "message")).text == "still here"
        logout = AuthServiceStub(stage.channel).Logout
        await logout(auth_pb.LogoutRequest(), metadata=bearer(token))
        await asyncio.sleep(0.6)  # it is looked at twice meanwhile
        await _say(stream, "and here")
        assert (await frame_of(stream, "message")).text == "and here"
        other = pb.RefreshRelayToken(access_token=await stage.client.tokens.get())
        await stream.write(pb.RelayRequest(refresh=other))
        assert await _ended(stream) == ("SESSION_ENDED", "TOKEN_INVALID")


async def test_what_makes_no_relay_says_why(tmp_path: Path) -> None:
    """Another kind and what it takes, one that is disabled, no such one, and no word of one."""
    async with staged(tmp_path) as stage:
        made = {
            "mcp": connection_pb2.Connection(
                mcp=connection_pb2.McpTarget(url="http://127.0.0.1:9/mcp")
            ),
            "grpc": connection_pb2.Connection(
                grpc=connection_pb2.GrpcTarget(address="http://127.0.0.1:9")
            ),
            "rest": connection_pb2.Connection(
                openapi=connection_pb2.OpenApiTarget(url="http://127.0.0.1:9/a")
            ),
            "off": connection_pb2.Connection(
                web_socket=connection_pb2.WebSocketTarget(url=stage.outside.url), disabled=True
            ),
        }
        for name, connection in made.items():
            connection.name = name
            await stage.client.create_connection(stage.workspace, connection)
        why = {}
        for name in (*made, "nobody"):
            with pytest.raises(AntiphonError) as caught:
                async with stage.client.relay(stage.workspace, name):
                    pass
            why[name] = caught.value.reason, caught.value.metadata.get("instead", "")
        assert why == {
            "mcp": ("FORWARD_UNSUPPORTED", "CallTool"),
            "grpc": ("FORWARD_UNSUPPORTED", "CallTool"),
            "rest": ("FORWARD_UNSUPPORTED", "Forward with http"),
            "off": ("CONNECTION_UNAVAILABLE", ""),
            "nobody": ("NOT_FOUND", ""),
        }
        for name in ("mcp", "grpc"):
            for request in (pb.SocketMessage(text="hi"), pb.HttpRequest(method="GET", path="/")):
                with pytest.raises(AntiphonError) as caught:
                    await stage.client.forward(stage.workspace, name, request)
                assert caught.value.reason == "FORWARD_UNSUPPORTED"
                assert caught.value.metadata["instead"] == "CallTool"
        metadata = await stage.metadata()
        early = stage.stub.Relay(metadata=metadata)
        await _say(early, "hi")
        assert await refused(early.read()) == "INVALID_ARGUMENT"
        twice = await _opened(stage)
        await twice.write(pb.RelayRequest(open=stage.request()))
        assert await refused(twice.read()) == "INVALID_ARGUMENT"
        assert stage.outside.heard == []


async def test_a_user_has_so_many(tmp_path: Path) -> None:
    """One more is refused, until one has ended."""
    async with staged(tmp_path) as stage:
        streams = [await _opened(stage) for _ in range(16)]
        metadata = await stage.metadata()
        more = stage.stub.OpenRelay(stage.request(), metadata=metadata)
        assert await refused(more.read()) == "LIMIT_EXCEEDED"
        for stream in streams:
            stream.cancel()  # and what is outside learns of it
        await until(lambda: stage.outside.open <= 1)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                more = stage.stub.OpenRelay(stage.request(), metadata=metadata)
                try:
                    assert (await more.read()).HasField("opened")
                    break
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.05)
