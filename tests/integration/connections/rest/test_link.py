"""Services over HTTP that behave and misbehave, on real sockets."""

import asyncio
import gzip
import json
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from antiphon_server.integration.connections.adapters.rest_kind import RestServices
from antiphon_server.integration.connections.adapters.signing import OperatorSecrets
from antiphon_server.integration.connections.model import Bearer, Connection, Limits, OpenApi
from antiphon_server.integration.connections.ports import Link
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import Result, SourceName
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.integration.connections.rest.documents import call, document
from tests.runtime.egress.forms import ALL
from tests.runtime.egress.places import LOOPBACK, canary

OPEN = EgressPolicy.allowing([], ["127.0.0.0/8"])
HERE = {"/do/{what}": {"get": {"operationId": "do"}, "post": {"operationId": "make"}}}
MOST = 100_000


class Workspaces:
    """Secrets of workspaces: there are none."""

    async def value(self, workspace_id: str, name: SecretName) -> str:
        raise not_found(name)


class Given:
    """A document that was given along."""

    def __init__(self, document: bytes) -> None:
        self._document = document

    async def document(self, connection: Connection) -> bytes:
        return self._document


class Service:
    """Answers as the path says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[web.BaseRequest] = []
        self.closed = asyncio.Event()
        self.document = json.dumps(document(HERE)).encode()
        self.status, self.to, self.port = 200, "", 0

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        match request.path.rpartition("/")[2]:
            case "openapi.json":
                return self._document(request)
            case "hang":
                await self._hang()
            case "long":
                return web.Response(body=bytes(MOST + 1))
            case "bomb":
                packed = gzip.compress(bytes(50 * MOST))
                return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
            case "packed":
                packed = gzip.compress(b"hello")
                return web.Response(
                    body=packed, headers={"Content-Encoding": "gzip"}, content_type="text/plain"
                )
            case "brotli":
                return web.Response(body=b"x", headers={"Content-Encoding": "br"})
            case "cut":
                return await self._cut(request)
            case "away":
                return web.Response(status=302, headers={"Location": self.to})
            case "broken":
                return web.Response(status=500)
            case "none":
                return web.Response(status=204)
            case "image":
                return web.Response(body=b"\x89PNG", content_type="image/png")
            case "refused":
                return web.Response(status=418, text="short and stout")
        return web.json_response({"path": request.path})

    def _document(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(body=self.document, status=self.status, headers={"ETag": '"1"'})

    async def _hang(self) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            self.closed.set()

    async def _cut(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"x")
        assert request.transport is not None
        request.transport.close()
        return response


@asynccontextmanager
async def service() -> AsyncIterator[Service]:
    found = Service()
    # A handler of aiohttp's is cancelled when its client goes only if it is told so.
    runner = web.ServerRunner(web.Server(found.answer, handler_cancellation=True))
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


@pytest.fixture
async def outside() -> AsyncIterator[Service]:
    async with service() as found:
        yield found


@asynccontextmanager
async def linked(
    url: str,
    base_url: str = "",
    policy: EgressPolicy = OPEN,
    workspace: str = "ws_00000001",
    document: bytes = b"",
) -> AsyncIterator[Link]:
    """A link, signed as the operator's where it is one of the installation."""
    target, limits = OpenApi(url, base_url), Limits(max_bytes=MOST)
    credential = None if workspace else Bearer(SecretName("key"))
    secrets = OperatorSecrets({SecretName("key"): "s3cret"}, Workspaces())
    kind = RestServices(policy, secrets, Given(document))
    connection = Connection(workspace, SourceName("it"), target, "", credential, limits)
    link = await kind.link(connection, lambda: None)
    try:
        yield link
    finally:
        await link.close()


async def result_of(link: Link, what: str, tool: str = "it.do") -> Result:
    result = await link.call(call(tool, {"what": what}))
    assert isinstance(result, Result)
    return result


async def done(link: Link, what: str, tool: str = "it.do") -> str:
    result = await result_of(link, what, tool)
    return " ".join(part.content for part in result.parts)


async def test_a_call(outside: Service) -> None:
    """What is text is told, what is not is data; what is refused is a failed result."""
    async with linked(f"{outside.url}/openapi.json") as link:
        assert set(await link.discover()) == {"it.do", "it.make"}
        assert await done(link, "x/y") == '{"path": "/do/x/y"}'
        assert await done(link, "packed") == "hello"
        assert await done(link, "none") == "HTTP 204 No Content"
        assert await done(link, "image") == "data:image/png;base64,iVBORw=="
        refused = await result_of(link, "refused")
        assert refused.failed
        assert [it.content for it in refused.parts] == ["HTTP 418 I'm a Teapot", "short and stout"]
        await done(link, "z", "it.make")
        assert outside.seen[-1].headers["Idempotency-Key"] == "call_1"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("long", Reason.TOOL_FAILED),
        ("bomb", Reason.TOOL_FAILED),
        ("brotli", Reason.TOOL_FAILED),
        ("cut", Reason.TOOL_CALL_LOST),
    ],
)
async def test_a_bad_answer_ends_its_own_call_alone(
    outside: Service, what: str, reason: Reason
) -> None:
    """It is bounded when it is unpacked; the next call is made as if nothing were."""
    async with linked(f"{outside.url}/openapi.json") as link:
        with pytest.raises(DomainError) as failed:
            await done(link, what)
        assert failed.value.reason is reason
        assert await done(link, "x") == '{"path": "/do/x"}'


async def test_a_call_that_is_cancelled_closes_its_socket(outside: Service) -> None:
    """Within 100 ms the service knows."""
    async with linked(f"{outside.url}/openapi.json") as link:
        await link.discover()
        calling = asyncio.create_task(done(link, "hang"))
        while not outside.seen[-1].path.endswith("hang"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        calling.cancel()
        began = time.monotonic()
        await outside.closed.wait()
        assert time.monotonic() - began < 0.1
        with pytest.raises(asyncio.CancelledError):
            await calling


async def test_the_document_is_read_again(outside: Service) -> None:
    """It is asked whether it is still the same; what it is not any more is unavailable."""
    async with linked(f"{outside.url}/openapi.json") as link:
        first = await link.discover()
        assert await link.discover() is first
        assert outside.seen[-1].headers["If-None-Match"] == '"1"'
    async with linked(f"{outside.url}/openapi.json") as link:
        for status in (500, 404, 204):
            outside.status = status
            with pytest.raises(DomainError, match="CONNECTION_UNAVAILABLE"):
                await link.discover()
        outside.status, outside.document = 200, b"no document"
        for _ in range(2):
            with pytest.raises(DomainError, match="INVALID_ARGUMENT"):
                await link.discover()
        outside.document = json.dumps(document({"/b": {"get": {}}})).encode()
        assert set(await link.discover()) == {"it.get_b"}


async def test_what_is_not_there_is_unavailable(outside: Service) -> None:
    """And says when to come back."""
    async with linked("http://127.0.0.1:9/openapi.json") as link:
        with pytest.raises(DomainError) as failed:
            await link.discover()
    assert failed.value.reason is Reason.CONNECTION_UNAVAILABLE
    assert failed.value.retry_after
    async with linked(f"{outside.url}/openapi.json", "http://127.0.0.1:9") as link:
        await link.discover()
        with pytest.raises(DomainError) as failed:
            await done(link, "x")
    assert failed.value.metadata["state"] == "UNREACHABLE"  # while the connection is UP


async def test_a_document_that_was_given(outside: Service) -> None:
    """It is read once; a probe asks the service whether it answers, by whatever it knows."""
    given = json.dumps(document(HERE, servers=[{"url": outside.url}])).encode()
    async with linked("", document=given) as link:
        assert set(await link.discover()) == {"it.do", "it.make"}
        assert outside.seen[-1].method == "HEAD"
        assert await done(link, "x") == '{"path": "/do/x"}'
    async with linked("", f"{outside.url}/broken", document=given) as link:
        with pytest.raises(DomainError, match="CONNECTION_UNAVAILABLE"):
            await link.discover()
    assert outside.seen[-1].method == "GET"


async def test_who_leaves_a_document_leaves_no_threads() -> None:
    """It is read to its end in the one thread of documents; others' work goes on meanwhile."""
    members = {f"k{n}": {"type": "string"} for n in range(1_900)}
    given = {"parameters": [{"name": "p", "in": "query", "schema": {"properties": members}}]}
    reference = {"$ref": "#/components/pathItems/x"}
    paths, items = dict.fromkeys((f"/a{n}" for n in range(1_000)), reference), {"x": {"get": given}}
    servers = [{"url": "https://api.example"}]
    large = json.dumps(document(paths, servers=servers, components={"pathItems": items})).encode()
    kind = RestServices(OPEN, OperatorSecrets({}, Workspaces()), Given(b""))
    target = OpenApi("", "https://api.example", "sha256", large)
    connection = Connection("ws_00000001", SourceName("it"), target)
    before = threading.enumerate()  # themselves: a new one may have an old one's number
    for _ in range(4):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await kind.check(connection)
    left = [it for it in threading.enumerate() if it not in before]
    assert len(left) == 1


async def test_the_signature_stays_with_its_place(outside: Service) -> None:
    """It goes to the connection's own place; neither to another nor behind a redirect."""
    async with service() as other:
        outside.to = f"{other.url}/do/there"
        url = f"{outside.url}/openapi.json"
        async with linked(url, workspace="") as link:
            await done(link, "x")
            assert {it.headers["Authorization"] for it in outside.seen} == {"Bearer s3cret"}
            await done(link, "away")
            assert "Authorization" not in other.seen[-1].headers
        async with linked(url, other.url, workspace="") as link:
            await done(link, "x")
            assert "Authorization" not in outside.seen[-1].headers
            assert other.seen[-1].headers["Authorization"] == "Bearer s3cret"
        outside.document = json.dumps(document(HERE, servers=[{"url": other.url}])).encode()
        async with linked(url, workspace="") as link:
            await done(link, "x")
            assert "Authorization" not in other.seen[-1].headers


async def test_what_a_document_names_is_not_the_operators_word(outside: Service) -> None:
    """Its own host is trusted, and not where that says the service were."""
    async with canary() as found:
        servers = [{"url": f"http://127.0.0.2:{found.port}"}]
        outside.document = json.dumps(document(HERE, servers=servers)).encode()
        url = f"{outside.url}/openapi.json"
        async with linked(url, policy=EgressPolicy(), workspace="") as link:
            with pytest.raises(DomainError, match="EGRESS_DENIED"):
                await done(link, "x")
    assert found.visits == 0


@pytest.mark.parametrize("place", ["url", "base_url", "servers", "redirect", "document"])
async def test_no_form_of_an_address_gets_a_packet_through(outside: Service, place: str) -> None:
    """Whether the connection names it, its document does, or an answer leads there."""
    async with canary() as found:
        policy = EgressPolicy.allowing(["localhost"], [])
        own = f"http://localhost:{outside.port}"
        for form in ALL:
            bad = f"http://{form}:{found.port}"
            outside.document, outside.to = json.dumps(document(HERE)).encode(), bad
            url, base = f"{own}/openapi.json", ""
            if place == "servers":
                outside.document = json.dumps(document(HERE, servers=[{"url": bad}])).encode()
            elif place == "document":
                url = f"{own}/do/away"
            elif place != "redirect":
                url, base = (bad, "") if place == "url" else (url, bad)
            with pytest.raises(DomainError) as refused:
                async with linked(url, base, policy) as link:
                    await done(link, "away" if place == "redirect" else "x")
            assert refused.value.reason in (Reason.EGRESS_DENIED, Reason.INVALID_ARGUMENT), form
    assert found.visits == 0
