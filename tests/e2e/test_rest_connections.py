"""A real service over HTTP by its own OpenAPI document, through a whole server and its client."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon.integration.v1 import model_pb2
from antiphon.integration.v1.connection_service_pb2 import HttpHeader, HttpRequest
from antiphon_client import AntiphonError, Client, text_of
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.httpbin_server import httpbin_server

MOST_SENT = 512 * 1024
_DOCUMENT = b'{"openapi": "3.1.0", "paths": {}}'


@asynccontextmanager
async def _served(
    home: Path, deadline: float = PATIENCE_S
) -> AsyncIterator[tuple[Client, str, str]]:
    """A client, its workspace, and where httpbin is: a connection of the installation."""
    async with httpbin_server() as url:
        own = {"name": "bin", "openapi": f"{url}/spec.json", "base_url": url, "bearer": "s3cret"}
        variables = {
            "ANTIPHON_CONNECTIONS": json.dumps([own]),
            "ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]',
        }
        server = ServerProcess(home, variables=variables)
        async with all_of([server]), server.client(deadline=deadline) as client:
            await client.create_conversation()
            workspaces = [it.workspace_id async for it in client.list_workspaces()]
            yield client, workspaces[0], url


async def test_its_operations_are_called(tmp_path: Path) -> None:
    """They are listed, answer, say that they failed, and are signed."""
    async with _served(tmp_path) as (client, workspace, _):
        tools = {it.name: it async for it in client.list_tools(workspace, query="bin")}
        assert len(tools) > 70
        assert tools["bin.get_uuid"].annotations.read_only
        called = await client.call_tool(
            workspace, "bin.post_anything_anything", {"anything": "a/b"}
        )
        told = json.loads(text_of(called.parts))
        assert told["url"].endswith("/anything/a/b")
        assert told["headers"]["Authorization"] == "Bearer s3cret"
        assert told["headers"]["Idempotency-Key"]
        moved = await client.call_tool(workspace, "bin.post_redirect_to", {"body": {"url": "/get"}})
        assert "HTTP 302" in text_of(moved.parts)
        failed = await client.call_tool(workspace, "bin.get_status_codes", {"codes": "503"})
        assert failed.failed
        assert "HTTP 503" in text_of(failed.parts)
        with pytest.raises(AntiphonError) as wrong:
            await client.call_tool(workspace, "bin.get_bytes_n", {"n": "many"})
        assert wrong.value.reason == "TOOL_ARGUMENTS_INVALID"


async def test_a_person_forwards_requests(tmp_path: Path) -> None:
    """Signed by the connection and by nobody else, whatever is answered, below its own address."""
    async with _served(tmp_path) as (client, workspace, _):
        headers = [
            HttpHeader(name="X-Mine", value="yes"),
            HttpHeader(name="Authorization", value="Bearer other"),
            HttpHeader(name="Host", value="evil.example"),
        ]
        wanted = HttpRequest(method="POST", path="/anything/a?b=c", headers=headers, body=b"{}")
        answer = (await client.forward(workspace, "bin", wanted)).http
        told = json.loads(answer.body)
        assert (answer.status, told["args"], told["data"]) == (200, {"b": "c"}, "{}")
        assert told["headers"]["Authorization"] == "Bearer s3cret"
        assert told["headers"]["X-Mine"] == "yes"
        assert "evil.example" not in told["headers"]["Host"]
        failed = HttpRequest(method="GET", path="/status/418")
        assert (await client.forward(workspace, "bin", failed)).http.status == 418
        assert [it.model for it in (await client.get_usage(workspace)).calls] == ["bin", "bin"]
        for path in ("/../admin", "/a/%2e%2e/%2e%2e/b", "/a#b"):
            with pytest.raises(AntiphonError) as out:
                await client.forward(workspace, "bin", HttpRequest(method="GET", path=path))
            assert out.value.reason == "INVALID_ARGUMENT"
        elsewhere = HttpRequest(method="GET", path="/redirect-to?url=http://10.0.0.1/")
        with pytest.raises(AntiphonError) as refused:
            await client.forward(workspace, "bin", elsewhere)
        assert refused.value.reason == "EGRESS_DENIED"


@pytest.mark.parametrize("spelled", ["authorization", "AUTHORIZATION", "aUTHORIZATION"])
async def test_a_header_that_signs_is_the_connections_however_it_is_spelled(
    tmp_path: Path, spelled: str
) -> None:
    """It is sent once; one that is a person's own is sent as it is."""
    async with _served(tmp_path) as (client, workspace, _):
        headers = [
            HttpHeader(name=spelled, value="Bearer other"),
            HttpHeader(name="cOOKIE", value="a=b"),
            HttpHeader(name="x-mINE", value="yes"),
        ]
        wanted = HttpRequest(method="GET", path="/anything", headers=headers)
        told = json.loads((await client.forward(workspace, "bin", wanted)).http.body)["headers"]
        assert (told["Authorization"], told["X-Mine"]) == ("Bearer s3cret", "yes")
        assert "Cookie" not in told


async def test_what_is_forwarded_has_limits(tmp_path: Path) -> None:
    """Of the time, as the connection has it, and of the answer; each failure is in the ledger."""
    async with _served(tmp_path) as (client, workspace, url):
        target = pb.OpenApiTarget(url=f"{url}/spec.json", base_url=url)
        limits = pb.ConnectionLimits(call_timeout=Duration(seconds=1))
        made = pb.Connection(name="mine", openapi=target, limits=limits)
        await client.create_connection(workspace, made)
        began = time.monotonic()
        with pytest.raises(AntiphonError) as late:
            await client.forward(workspace, "mine", HttpRequest(method="GET", path="/delay/5"))
        assert (late.value.reason, late.value.metadata["tool"]) == ("TOOL_TIMEOUT", "mine")
        assert time.monotonic() - began < 4
        body = b'"' + b"a" * (MOST_SENT - 2) + b'"'  # it comes back twice
        large = HttpRequest(method="POST", path="/anything", body=body)
        large.headers.add(name="Content-Type", value="application/json")
        with pytest.raises(AntiphonError) as too_much:
            await client.forward(workspace, "bin", large)
        assert too_much.value.reason == "TOOL_FAILED"
        assert "1048576 bytes" in too_much.value.metadata["why"]
        calls = (await client.get_usage(workspace)).calls
        told = {it.model: (it.outcome, it.error_reason) for it in calls}
        failed = model_pb2.ATTEMPT_OUTCOME_FAILED
        assert told == {"mine": (failed, "TOOL_TIMEOUT"), "bin": (failed, "TOOL_FAILED")}


async def test_a_tool_may_take_longer_than_other_calls(tmp_path: Path) -> None:
    """How long is its connection's to say, whatever the client allows the rest of its calls."""
    async with _served(tmp_path, deadline=1.5) as (client, workspace, url):
        delayed = HttpRequest(method="GET", path="/delay/2")
        assert (await client.forward(workspace, "bin", delayed)).http.status == 200
        called = await client.call_tool(workspace, "bin.get_delay_delay", {"delay": 2})
        assert not called.failed
        target = pb.OpenApiTarget(url=f"{url}/spec.json", base_url=url)
        limits = pb.ConnectionLimits(call_timeout=Duration(seconds=2))
        made = pb.Connection(name="mine", openapi=target, limits=limits)
        await client.create_connection(workspace, made)
        with pytest.raises(AntiphonError) as late:
            await client.call_tool(workspace, "mine.get_delay_delay", {"delay": 5})
        assert late.value.reason == "TOOL_TIMEOUT"


async def test_nothing_is_forwarded_by_one_that_is_disabled(tmp_path: Path) -> None:
    """It says so, and nobody is asked."""
    async with _served(tmp_path) as (client, workspace, url):
        target = pb.OpenApiTarget(url=f"{url}/spec.json", base_url=url)
        made = pb.Connection(name="mine", openapi=target, disabled=True)
        await client.create_connection(workspace, made)
        wanted = HttpRequest(method="GET", path="/anything")
        with pytest.raises(AntiphonError) as caught:
            await client.forward(workspace, "mine", wanted)
        assert (caught.value.reason, caught.value.metadata["state"]) == (
            "CONNECTION_UNAVAILABLE",
            "DISABLED",
        )
        assert not (await client.get_usage(workspace)).calls
        enabled = pb.Connection(name="mine", openapi=target)
        await client.update_connection(workspace, enabled, ["disabled"])
        assert (await client.forward(workspace, "mine", wanted)).http.status == 200


async def test_a_workspace_adds_one(tmp_path: Path) -> None:
    """Its limits hold, its document may be missing, and its calls are not signed by others."""
    async with _served(tmp_path) as (client, workspace, url):
        target = pb.OpenApiTarget(url=f"{url}/spec.json", base_url=url)
        limits = pb.ConnectionLimits(call_timeout=Duration(seconds=1))
        await client.create_connection(
            workspace, pb.Connection(name="mine", openapi=target, limits=limits)
        )
        tested = await client.test_connection(workspace, "mine")
        assert (tested.status.state, tested.openapi) == (pb.CONNECTION_STATE_UP, target)
        began = time.monotonic()
        with pytest.raises(AntiphonError) as late:
            await client.call_tool(workspace, "mine.get_delay_delay", {"delay": 5})
        assert late.value.reason == "TOOL_TIMEOUT"
        assert time.monotonic() - began < 4
        told = await client.call_tool(workspace, "mine.get_headers", {})
        assert "s3cret" not in text_of(told.parts)
        missing = pb.OpenApiTarget(url=f"{url}/status/404")
        await client.create_connection(workspace, pb.Connection(name="none", openapi=missing))
        down = await client.test_connection(workspace, "none")
        assert down.status.error_reason == "CONNECTION_UNAVAILABLE"
        page = pb.OpenApiTarget(url=f"{url}/html")
        await client.create_connection(workspace, pb.Connection(name="page", openapi=page))
        odd = await client.test_connection(workspace, "page")
        assert odd.status.error_reason == "INVALID_ARGUMENT"


async def test_a_document_is_given_along(tmp_path: Path) -> None:
    """It is kept over changes of other things, never returned, and another one is another."""
    async with _served(tmp_path) as (client, workspace, url):
        paths = {"/uuid": {"get": {"operationId": "uuid"}}, "/get": {"get": {}}}
        text = json.dumps({"openapi": "3.1.0", "paths": paths}).encode()
        target = pb.OpenApiTarget(document=text, base_url=url)
        given = pb.Connection(name="mine", openapi=target)
        made = await client.create_connection(workspace, given)
        assert not made.openapi.document
        assert made.openapi.document_sha256 == sha256(text).digest()
        assert (await client.create_connection(workspace, given)).etag == made.etag
        tested = await client.test_connection(workspace, "mine")
        assert (tested.status.state, tested.status.tools) == (pb.CONNECTION_STATE_UP, 2)
        made.title = "Mine"
        await client.update_connection(workspace, made, ["title"])
        await client.test_connection(workspace, "mine")
        told = await client.call_tool(workspace, "mine.uuid", {})
        assert "uuid" in text_of(told.parts)
        made.etag, made.openapi.base_url = "", f"{url}/anything"
        kept = await client.update_connection(workspace, made, ["openapi"])
        assert kept.openapi.document_sha256 == sha256(text).digest()
        assert (await client.test_connection(workspace, "mine")).status.tools == 2
        made.openapi.document_sha256 = sha256(b"another").digest()
        with pytest.raises(AntiphonError) as unknown:
            await client.update_connection(workspace, made, ["openapi"])
        assert unknown.value.reason == "INVALID_ARGUMENT"
        given.openapi.document = b'{"openapi": "3.1.0", "paths": {"/ip": {"get": {}}}}'
        await client.update_connection(workspace, given, ["openapi"])
        assert (await client.test_connection(workspace, "mine")).status.tools == 1
        assert [it.name async for it in client.list_tools(workspace, "mine")] == ["mine.get_ip"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (pb.OpenApiTarget(url="http://10.0.0.1/openapi.json"), "EGRESS_DENIED"),
        (pb.OpenApiTarget(url="https://a.example/", base_url="http://[::1]/"), "EGRESS_DENIED"),
        (pb.OpenApiTarget(url="wss://a.example/"), "INVALID_ARGUMENT"),
        (
            pb.OpenApiTarget(url="https://a.example/", base_url="https://a.example/?x"),
            "INVALID_ARGUMENT",
        ),
        (pb.OpenApiTarget(), "INVALID_ARGUMENT"),
        (pb.OpenApiTarget(document=b"no document"), "INVALID_ARGUMENT"),
        (pb.OpenApiTarget(document=_DOCUMENT), "INVALID_ARGUMENT"),
        (pb.OpenApiTarget(document=_DOCUMENT, url="https://a.example/"), "INVALID_ARGUMENT"),
        (pb.OpenApiTarget(document=_DOCUMENT, base_url="http://10.0.0.1"), "EGRESS_DENIED"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    tmp_path: Path, target: pb.OpenApiTarget, reason: str
) -> None:
    """Before anybody is asked."""
    async with _served(tmp_path) as (client, workspace, _):
        with pytest.raises(AntiphonError) as caught:
            await client.create_connection(workspace, pb.Connection(name="x", openapi=target))
        assert caught.value.reason == reason
