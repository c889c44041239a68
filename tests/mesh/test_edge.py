"""What a client of the edge sees, through a real Envoy."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
import yarl
from grpc_health.v1 import health_pb2, health_pb2_grpc

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon.events.v1.stream_pb2 import Watch
from tests.e2e.until import SOON_S, until, until_it
from tests.mesh.grpc_web import TEXT, GrpcWeb
from tests.mesh.world import ORIGIN, PAGE, World, edge_world
from tests.proofs.wire.raw import grpc_frame
from tests.runtime.events_service import HEAD, SCOPE, read

SERVICE = "/antiphon.events.v1.EventService"
FOLLOW = pb.FollowRequest(watches=[Watch(watch_id="w", scope=SCOPE)])
NOT_FOUND = 5
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One server behind one Envoy, for all tests of this file."""
    async with edge_world(tmp_path_factory.mktemp("edge")) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def browser(world: World) -> AsyncIterator[GrpcWeb]:
    """A client of grpc-web over HTTP/1.1."""
    async with GrpcWeb(world.port, {"x-request-id": "browser-1"}) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def channel(world: World) -> AsyncIterator[grpc.aio.Channel]:
    """A client of gRPC over HTTP/2."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{world.port}") as channel:
        yield channel


async def test_native_grpc_passes(channel: grpc.aio.Channel) -> None:
    """Unary calls, streams in both directions and health, on the port that browsers use."""
    events = stubs.EventServiceStub(channel)
    assert (await events.GetHead(HEAD, metadata=[("x-request-id", "native-1")])) is not None
    stream = events.Subscribe()
    for _ in range(3):
        await stream.write(pb.SubscribeRequest())
        assert await stream.read() == pb.SubscribeResponse()
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    health = health_pb2_grpc.HealthStub(channel)
    answer = await health.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("content_type", ["application/grpc-web+proto", TEXT])
async def test_unary_over_grpc_web(browser: GrpcWeb, content_type: str) -> None:
    """A message and its trailers come in one body, in both of the protocol's forms."""
    answer = await browser.unary(f"{SERVICE}/GetHead", HEAD, content_type)
    assert answer.status == 0
    assert [pb.GetHeadResponse.FromString(raw) for raw in answer.messages]


async def test_errors_over_grpc_web(browser: GrpcWeb) -> None:
    """A refusal has its status and its details."""
    answer = await browser.unary(f"{SERVICE}/ReadEvents", read("missing"))
    assert answer.status == NOT_FOUND
    assert "grpc-status-details-bin" in {**answer.headers, **answer.trailers}


async def test_a_deadline_that_passes(browser: GrpcWeb) -> None:
    """It is the client's own, and no outage; to a browser, too."""
    url, late = f"{SERVICE}/ReadEvents", {"grpc-timeout": "200m"}
    answer = await browser.unary(url, read("waits"), headers=late)
    native = late | {"content-type": "application/grpc", "te": "trailers"}
    body = grpc_frame(read("waits").SerializeToString())
    async with browser.session.post(url, data=body, headers=native) as response:
        statuses = {answer.status, int(response.headers["grpc-status"])}
    assert statuses == {grpc.StatusCode.DEADLINE_EXCEEDED.value[0]}


async def test_what_a_server_would_reset_is_no_outage(browser: GrpcWeb) -> None:
    """A call without `te: trailers` is answered; one that is not posted is none."""
    url, native = f"{SERVICE}/GetHead", {"content-type": "application/grpc"}
    body = grpc_frame(HEAD.SerializeToString())
    async with browser.session.post(url, data=body, headers=native) as response:
        assert await response.read()  # its status follows, where this client doesn't look
    for path in (url, "/grpc.health.v1.Health/Check"):
        for method in ("GET", "OPTIONS"):
            async with browser.session.request(method, path, headers=native) as response:
                status = int(response.headers["grpc-status"])
            assert status == grpc.StatusCode.UNIMPLEMENTED.value[0]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_no_page_calls_without_asking(browser: GrpcWeb, content_type: str) -> None:
    """What any page may send without asking the browser first is no call.

    https://fetch.spec.whatwg.org/#cors-safelisted-request-header
    """
    body = grpc_frame(HEAD.SerializeToString())
    headers = {"content-type": content_type} if content_type else {}
    skipped = ["content-type"]
    async with browser.session.post(
        f"{SERVICE}/GetHead", data=body, headers=headers, skip_auto_headers=skipped
    ) as response:
        assert response.status == 415
        assert not await response.read()


async def test_a_stream_that_is_cut(world: World, browser: GrpcWeb) -> None:
    """A message arrives when it is sent, and the server learns that its reader has gone."""
    world.events.ended.clear()
    async with asyncio.timeout(SOON_S), browser.stream(f"{SERVICE}/Follow", FOLLOW) as stream:
        assert pb.FollowResponse.FromString(await stream.read() or b"") == pb.FollowResponse()
        assert not world.events.ended.is_set()
        stream.cut()
    async with asyncio.timeout(SOON_S):
        await world.events.ended.wait()


async def test_all_else_goes_to_the_pages(browser: GrpcWeb) -> None:
    """A browser gets pages and calls from one address."""
    for path in ("/", "/assets/app.js?v=1"):
        async with browser.session.get(path) as response:
            assert (response.status, await response.text()) == (200, PAGE)


@pytest.mark.parametrize(("origin", "allowed"), [(ORIGIN, ORIGIN), ("https://evil.example", None)])
async def test_pages_of_others(browser: GrpcWeb, origin: str, allowed: str | None) -> None:
    """Pages of the origins that were named may call, with a token, and no others."""
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-grpc-web",
    }
    async with browser.session.options(f"{SERVICE}/GetHead", headers=asked) as response:
        headers = response.headers
    assert headers.get("access-control-allow-origin") == allowed
    if allowed:
        assert "authorization" in headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in headers


async def test_what_services_call_stays_inside(channel: grpc.aio.Channel) -> None:
    """Internal RPCs are refused at the edge."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stubs.EventServiceStub(channel).Append(pb.AppendRequest())
    assert refusal.value.code() == grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("path", "header"),
    [
        (f"{SERVICE}/GetHead", "x_request_id"),
        ("/antiphon.events.v1.EventService%2FGetHead", "x-fine"),
    ],
)
async def test_ambiguous_requests_are_refused(browser: GrpcWeb, path: str, header: str) -> None:
    """What servers read in different ways does not pass: `_` for `-`, escaped slashes."""
    url = yarl.URL(browser.base + path, encoded=True)
    async with browser.session.post(url, data=b"", headers={header: "1"}) as response:
        assert response.status == 400


async def test_every_call_is_logged_without_its_token(world: World, browser: GrpcWeb) -> None:
    """A line of JSON for each, with what the server's log has it by; of a page its path alone."""
    canary = "canary-of-a-token"
    async with GrpcWeb(world.port, {"authorization": f"Bearer {canary}"}) as other:
        await other.unary(f"{SERVICE}/GetHead", HEAD)
    async with browser.session.get(f"/signed-in?code={canary}") as response:
        assert response.status == 200
    await browser.unary(f"{SERVICE}/ReadEvents", read("missing"))

    def logged() -> list[object]:
        whole = world.access_log.read_text().rpartition("\n")[0].splitlines()  # it may be writing
        reads = [line for line in map(json.loads, whole) if line["rpc"] == f"{SERVICE}/ReadEvents"]
        return [line["grpc_status"] for line in reads if line["request_id"] == "browser-1"]

    await until(lambda: "NotFound" in logged(), SOON_S)  # Envoy writes it every second
    assert canary not in world.access_log.read_text()


async def test_it_is_started_again_where_it_was(world: World) -> None:
    """An Envoy that was killed comes back on the port that it had picked."""
    port, pid = world.port, world.envoy.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: world.envoy.restarts == 1, SOON_S)
    await until_it(world.envoy.admin.ready, SOON_S)
    assert world.port == port
    async with GrpcWeb(port) as browser:
        assert (await browser.unary(f"{SERVICE}/GetHead", HEAD)).status == 0
