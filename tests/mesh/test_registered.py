"""A real server that registers itself, called through the edge by a real client."""

import asyncio
import base64
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1.context_service_pb2 import GetContextRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.mesh.v1.registry_service_pb2 import WatchInstancesRequest
from antiphon_client import Client
from antiphon_server.app.edge import rendered
from antiphon_server.auth.adapters.server_secret import SECRET_FILE, load_or_create
from antiphon_server.installation import NAMES
from antiphon_server.mesh.envoy.binary import envoy_binary
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.settings import Settings
from tests.access.granted import Turn
from tests.e2e.callers import caller
from tests.e2e.server import ServerProcess
from tests.e2e.until import SOON_S, until_it
from tests.mesh.commands import output
from tests.mesh.grpc_web import GrpcWeb
from tests.mesh.nodes import PORTS, Installation, installation, registry_stub
from tests.proofs.bench.processes import ROOT

ENVOY = str(envoy_binary())
CHECKED = replace(PORTS, check_tokens=True)
WITHIN_S = 5.0
"""A second, on a machine that has much to do."""
SERVICES = tuple(sorted(NAMES))
Call = Callable[[grpc.aio.Channel], Awaitable[Any]]
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(slots=True)
class Whole:
    """An installation with one server that has all services."""

    at: Installation
    server: ServerProcess

    def client(self) -> Client:
        """The operator, at the edge."""
        return Client.connect(str(self.at.mesh.edge), self.server.key)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    """For all tests of this file."""
    folder = tmp_path_factory.mktemp("mesh")
    async with installation(folder / "mesh", CHECKED) as at:
        variables = {
            "ANTIPHON_REGISTRY": at.registry,
            "ANTIPHON_SECRET_KEY_FILE": str(folder / "mesh" / "auth.key"),
            "ANTIPHON_BEHIND_PROXY": "true",
        }
        async with ServerProcess(folder, variables=variables) as server:
            async with asyncio.timeout(20):
                await until_it(lambda: at.knows(*SERVICES))
                await until_open(at)
            yield Whole(at, server)


async def until_open(at: Installation) -> None:
    """The edge listens as soon as it knows the keys of tokens."""
    async with grpc.aio.insecure_channel(str(at.mesh.edge)) as channel:
        await channel.channel_ready()


async def test_every_service_is_found(whole: Whole) -> None:
    """Each at the server's port."""
    for name in SERVICES:
        assert list(await whole.at.endpoints(name)) == [str(whole.server.port)]


async def test_a_client_converses_through_the_edge(whole: Whole) -> None:
    """It signs in, posts, and hears the answer as it comes."""
    async with asyncio.timeout(30), whole.client() as client:
        conversation = (await client.create_conversation("by the edge")).conversation_id
        async with client.converse(conversation) as live:
            turn = await live.post("hello", handler="echo")
            assert (await turn.result()).text


async def refusal(whole: Whole, call: Call) -> DomainError:
    """Why something was refused at the edge."""
    async with grpc.aio.insecure_channel(str(whole.at.mesh.edge)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel)
    return domain_error_of(refused.value)


def bearer(token: str, scheme: str = "Bearer") -> tuple[tuple[str, str], ...]:
    return (("authorization", f"{scheme} {token}"),)


async def who_am_i(channel: grpc.aio.Channel, token: str, scheme: str = "Bearer") -> Any:
    return await AuthServiceStub(channel).WhoAmI(
        pb.WhoAmIRequest(), metadata=bearer(token, scheme), timeout=5
    )


@pytest.mark.parametrize("forge", ["", "x", "none", "other key"])
async def test_forged_tokens_are_refused_at_the_edge(whole: Whole, forge: str) -> None:
    """In the server's own words, and before it sees them."""
    async with whole.client() as client:
        token = await client.tokens.get()
    async with grpc.aio.insecure_channel(str(whole.at.mesh.edge)) as channel:
        for scheme in ("Bearer", "bearer"):  # the same to servers (RFC 9110, 11.1)
            assert (await who_am_i(channel, token, scheme)).user.user_id
    before = await denied(whole)
    found = await refusal(whole, lambda channel: who_am_i(channel, forged(token, forge)))
    assert found.reason is Reason.TOKEN_INVALID
    assert await denied(whole) == before + 1


async def denied(whole: Whole) -> int:
    """How many calls Envoy has refused for their tokens."""
    envoy = whole.at.mesh.envoy
    assert envoy is not None
    return sum((await envoy.admin.stats(r"^http\.edge\.jwt_authn\.denied$")).values())


def forged(token: str, how: str) -> str:
    """A token that was tampered with."""
    claims = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    headers = {"typ": "at+jwt", "kid": kid}
    match how:
        case "none":
            return jwt.encode(claims, "", "none", headers=headers)
        case "other key":
            return jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers=headers)
    return how and token[:-8] + "AAAAAAAA"


async def test_grants_pass_the_edge_where_they_will_do(whole: Whole) -> None:
    """Servers alone can judge them. Elsewhere they are no tokens, and get no further."""
    secret = load_or_create(whole.server.data_dir.parent / "mesh" / SECRET_FILE)
    async with whole.client() as client:
        here = await caller("here", client)
    async with grpc.aio.insecure_channel(str(whole.at.mesh.edge)) as channel:
        turn = await Turn.begun(channel, here)
        grant = turn.grant(GrantTokens(secret))
        read = GetContextRequest(conversation_id=turn.conversation_id)
        context = ContextServiceStub(channel)
        for scheme in ("Bearer", "bearer"):
            await context.GetContext(read, metadata=bearer(grant, scheme), timeout=5)
        await turn.stop()
    before = await denied(whole)

    async def ended(channel: grpc.aio.Channel) -> Any:
        stub = ContextServiceStub(channel)
        return await stub.GetContext(read, metadata=bearer(grant), timeout=5)

    assert (await refusal(whole, ended)).reason is Reason.TOKEN_EXPIRED
    assert await denied(whole) == before
    found = await refusal(whole, lambda channel: who_am_i(channel, grant))
    assert found.reason is Reason.TOKEN_INVALID
    assert await denied(whole) == before + 1


async def test_public_calls_need_no_token(whole: Whole) -> None:
    """Whatever came along."""
    async with grpc.aio.insecure_channel(str(whole.at.mesh.edge)) as channel:
        stub = AuthServiceStub(channel)
        for token in ("", "rubbish"):
            answer: Any = stub.GetJwks(pb.GetJwksRequest(), metadata=bearer(token), timeout=5)
            assert (await answer).keys


async def test_refusals_over_grpc_web(whole: Whole) -> None:
    """Envoy's own words are framed for browsers too, with their details."""
    async with GrpcWeb(whole.at.mesh.edge.port) as browser:
        path = "/antiphon.auth.v1.AuthService/WhoAmI"
        answer = await browser.unary(path, pb.WhoAmIRequest())
        assert answer.status == grpc.StatusCode.UNAUTHENTICATED.value[0]
        assert "TOKEN_INVALID" in _details(answer.trailers["grpc-status-details-bin"])
        internal = "/antiphon.events.v1.EventService/Append"
        answer = await browser.unary(internal, pb.WhoAmIRequest())
        assert answer.status == grpc.StatusCode.PERMISSION_DENIED.value[0]


def _details(encoded: str) -> str:
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode(errors="replace")


async def test_a_watch_ends_with_its_session(whole: Whole) -> None:
    """Within a second, although the stream was let in."""
    async with grpc.aio.insecure_channel(str(whole.at.mesh.edge)) as channel:
        auth: Any = AuthServiceStub(channel)
        login = pb.LoginRequest(device="a watch")
        login.api_key.api_key = whole.server.key.secret
        tokens = (await auth.Login(login, timeout=10)).tokens
        watch = registry_stub(channel).WatchInstances(
            WatchInstancesRequest(), metadata=bearer(tokens.access_token), timeout=30
        )
        assert len((await watch.read()).instances) == len(SERVICES)
        await auth.Logout(pb.LogoutRequest(), metadata=bearer(tokens.access_token), timeout=10)
        began = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await to_its_end(watch)
        took = time.monotonic() - began
    assert domain_error_of(refused.value).reason is Reason.SESSION_REVOKED
    print(f"ended after {took:.2f} s")
    assert took < WITHIN_S


async def to_its_end(stream: Any) -> None:
    """Read on until something is raised."""
    while True:
        await stream.read()


async def test_status_shows_who_is_where(whole: Whole) -> None:
    """Every service, healthy, at its port, through the edge, to operators alone."""
    variables = {"ANTIPHON_API_KEY": whole.server.key.secret}
    ask = ("mesh", "status", "--address", str(whole.at.mesh.edge))
    code, table = await output(variables, *ask)
    assert code == 0, table
    rows = [line.split() for line in table.splitlines()[1:]]
    where = f"127.0.0.1:{whole.server.port}"
    assert [row[:3] for row in rows] == [[name, where, "healthy"] for name in SERVICES], table
    _, listed = await output(variables, *ask, "--json")
    assert len(listed.splitlines()) == len(SERVICES)


async def test_what_is_rendered_is_valid(tmp_path: Path) -> None:
    """What `antiphon mesh render` prints is a file that Envoy takes."""
    settings = Settings(mesh=MeshSettings(pages="localhost:8080", traces="localhost:4317"))
    file = tmp_path / "envoy.json"
    await asyncio.to_thread(lambda: file.write_text(rendered(settings)))
    command = (ENVOY, "--mode", "validate", "-c", str(file))
    validated = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    assert validated.returncode == 0, validated.stderr


async def test_what_a_rendered_file_leaves_out(tmp_path: Path) -> None:
    """It is said: nobody gives an Envoy alone the keys. Files are found from any folder."""
    own = {"PEER_CA": "ca.pem", "PEER_CERT": "a.pem", "PEER_KEY": "a.key"}
    file = tmp_path / "envoy.json"
    command = ("mesh", "render", "--output", str(file))
    code, said = await output({f"ANTIPHON_{name}": it for name, it in own.items()}, *command)
    assert code == 0, said
    assert "Tokens are left to servers" in said
    assert "Certificates are read when that Envoy starts" in said
    assert f'"{ROOT / "ca.pem"}"' in await asyncio.to_thread(file.read_text)
    unchecked = {"ANTIPHON_MESH": '{"check_tokens": false}'}
    assert await output(unchecked, *command) == (0, "")


async def test_who_stops_is_called_no_more(whole: Whole) -> None:
    """At SIGTERM a server is out of the endpoints before its port closes."""
    whole.server.signal(signal.SIGTERM)
    gone = asyncio.create_task(whole.server.terminate())
    async with asyncio.timeout(SOON_S):
        while await whole.at.knows("context"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not gone.done()
    assert await gone == 0
