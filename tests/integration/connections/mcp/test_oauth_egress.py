"""No hop of OAuth leads where nothing may go, however it is written."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from antiphon_server.integration.connections.mcp.authorizing import begin, complete
from antiphon_server.integration.connections.mcp.model import Config, Endpoint, OAuth
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.httpx2_transport import GuardedTransport
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.certificates import Authority
from tests.runtime.egress.forms import ALL
from tests.runtime.egress.places import LOOPBACK, Canary, Names, canary

NAMES = Names(tools_example=[[LOOPBACK]], evil_example=[[LOOPBACK]])
HOPS = ["metadata", "issuer", "registration", "token"]
ENCRYPTED = [*HOPS, "authorize"]
FORMS = [*ALL, "evil.example", "user@tools.example", "file:///etc/passwd"]


@dataclass
class Server:
    """A server and its authorization server in one, which sends on where it is told to."""

    url: str = ""
    away: dict[str, str] = field(default_factory=dict)
    redirects: bool = False

    def at(self, hop: str, path: str) -> str:
        """Where a hop is said to be."""
        return self.away[hop] if hop in self.away and not self.redirects else self.url + path

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """All of it."""
        path = request.path
        hop = next((hop for hop in HOPS if path.startswith(f"/{hop}")), "issuer")
        if self.redirects and hop in self.away and path != "/mcp":
            raise web.HTTPTemporaryRedirect(self.away[hop])
        if path == "/mcp":
            told = f'Bearer resource_metadata="{self.at("metadata", "/metadata")}"'
            return web.Response(status=401, headers={"WWW-Authenticate": told})
        if path == "/metadata":
            servers = [self.at("issuer", "/issuer")]
            resource = {"resource": f"{self.url}/mcp", "authorization_servers": servers}
            return web.json_response(resource)
        if path == "/registration":
            return web.json_response({**await request.json(), "client_id": "us"}, status=201)
        if path == "/token":
            return web.json_response({"access_token": "it", "token_type": "Bearer"})
        if path.startswith("/.well-known/oauth-authorization-server"):
            return web.json_response(
                {
                    "issuer": self.at("issuer", "/issuer"),
                    "authorization_endpoint": self.at("authorize", "/authorize"),
                    "token_endpoint": self.at("token", "/token"),
                    "registration_endpoint": self.at("registration", "/registration"),
                    "response_types_supported": ["code"],
                }
            )
        return web.Response(status=404)


@asynccontextmanager
async def _served(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server, app = Server(), web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0, ssl_context=tls)
    await site.start()
    scheme = "https" if tls else "http"
    server.url = f"{scheme}://tools.example:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


async def _authorized(server: Server, trust: ssl.SSLContext | None = None) -> None:
    """Both halves."""
    policy = EgressPolicy.allowing(["tools.example"], [])
    outside = Outside(lambda: GuardedTransport(Dialler(policy, NAMES), trust=trust))
    credential = OAuth("http://127.0.0.1:1/callback")
    config = Config(SourceName("it"), Endpoint(f"{server.url}/mcp", credential))
    begun = await begin(config, outside)
    await complete(config, outside, begun.pending, "code", "")


async def test_without_a_trap_it_goes_through() -> None:
    """So whatever is refused below is refused for its address."""
    async with _served() as server:
        await _authorized(server)


@pytest.mark.parametrize("redirects", [False, True])
@pytest.mark.parametrize("hop", HOPS)
async def test_no_hop_reaches_what_is_refused(hop: str, redirects: bool) -> None:
    """Named as it is, or redirected to: 0 visits, and a reason that people understand."""
    found: Canary
    async with _served() as server, canary() as found:
        server.redirects = redirects
        for form in FORMS:
            whole = form if "://" in form else f"http://{form}:{found.port}/x"
            server.away = {hop: whole}
            with pytest.raises(DomainError) as refused:
                await _authorized(server)
            assert refused.value.reason in (
                Reason.EGRESS_DENIED,
                Reason.AUTHORIZATION_FAILED,
                Reason.CONNECTION_UNAVAILABLE,
            ), form
    assert found.visits == 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whoever it is that the server's certificate comes from."""
    return Authority(tmp_path_factory.mktemp("authority"))


def _contexts(authority: Authority) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server, and of its clients."""
    files = authority.files("tools.example")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(files.certificate, files.key)
    return serving, ssl.create_default_context(cafile=str(authority.file))


async def test_what_is_encrypted_goes_through(authority: Authority) -> None:
    """So whatever is refused below is refused for its scheme."""
    serving, trusting = await asyncio.to_thread(_contexts, authority)
    async with _served(serving) as server:
        await _authorized(server, trusting)


@pytest.mark.parametrize(
    ("hop", "redirects"),
    [*((hop, False) for hop in ENCRYPTED), *((hop, True) for hop in HOPS)],
)
async def test_what_began_encrypted_stays_so(
    hop: str, redirects: bool, authority: Authority
) -> None:
    """A host that is allowed is not called by plain HTTP; no browser is sent there, either."""
    serving, trusting = await asyncio.to_thread(_contexts, authority)
    found: Canary
    async with _served(serving) as server, canary() as found:
        server.redirects = redirects
        server.away = {hop: f"http://tools.example:{found.port}/x"}
        with pytest.raises(DomainError) as refused:
            await _authorized(server, trusting)
        if not redirects:
            assert refused.value.reason is Reason.EGRESS_DENIED
    assert found.visits == 0
