"""Behind the edge everybody shows a certificate: Envoy, the registry, and those who serve."""

import asyncio
import ssl
from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner

from antiphon_client import ApiKey, Client, Tls
from antiphon_client.errors import Unavailable
from antiphon_server.app import running
from antiphon_server.app.control_plane import Mesh, running_mesh
from antiphon_server.cli.main import app
from antiphon_server.mesh.registration import registry_channel
from antiphon_server.settings import Settings
from tests.mesh.nodes import PORTS, registry_stub


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """What `antiphon certs` makes."""
    folder = tmp_path / "certs"
    assert CliRunner().invoke(app, ["certs", str(folder)]).exit_code == 0
    return folder


async def test_a_turn_goes_through_the_edge_to_who_shows_a_certificate(
    tmp_path: Path, certificates: Path
) -> None:
    """The registry, Envoy's health checks and calls are all by mutual TLS; in the clear nobody.

    Then all certificates are replaced by another authority's, in place: the edge shows the new
    one and cuts nobody off, and a server that starts again is called by those who trust it.
    """
    mesh = Settings(
        data_dir=tmp_path,
        mesh=PORTS,
        tls_cert=certificates / "edge.pem",
        tls_key=certificates / "edge.key",
        peer_ca=certificates / "ca.pem",
        peer_cert=certificates / "edge.pem",
        peer_key=certificates / "edge.key",
    )
    async with running_mesh(mesh) as at:
        server = Settings(
            data_dir=tmp_path / "server",
            port=0,
            admin_port=None,
            model="scripted/echo",
            secret_key_file=tmp_path / "auth.key",
            registry=f"localhost:{at.registry.port}",  # looked up, and named in the certificate
            tls_cert=certificates / "auth.pem",
            tls_key=certificates / "auth.key",
            tls_client_ca=certificates / "ca.pem",
            peer_ca=certificates / "ca.pem",
        )
        async with running(server):
            key = (await asyncio.to_thread((server.data_dir / "operator.key").read_text)).strip()
            async with _client(at, key, certificates) as client:
                await _reached(client)
                conversation = await client.create_conversation(title="sealed")
                async with client.converse(conversation.conversation_id) as live:
                    turn = await live.post("through the edge")
                    assert (await turn.result()).text == "through the edge"
                    await asyncio.to_thread(_replace, certificates)
                    await _shown(at, certificates)
                    turn = await live.post("on the same stream")
                    assert (await turn.result()).text == "on the same stream"
        async with registry_channel(str(at.registry)) as plain:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await registry_stub(plain).ListInstances(None)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        async with running(server), _client(at, key, certificates) as client:
            await _reached(client)


def _client(at: Mesh, key: str, certificates: Path) -> Client:
    """The operator, who trusts the authority of now."""
    trust = Tls((certificates / "ca.pem").read_bytes())
    return Client.connect(f"https://{at.edge}", ApiKey(key), tls=trust)


def _replace(certificates: Path) -> None:
    """Another authority begins, and certifies everybody."""
    (certificates / "ca.pem").unlink()
    (certificates / "ca.key").unlink()
    assert CliRunner().invoke(app, ["certs", str(certificates)]).exit_code == 0


async def _shown(at: Mesh, certificates: Path) -> None:
    """Return when the edge shows what is in its file."""
    wanted = await asyncio.to_thread((certificates / "edge.pem").read_text)
    address = at.edge.host, at.edge.port
    async with asyncio.timeout(30):
        while await asyncio.to_thread(ssl.get_server_certificate, address) not in wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _reached(client: Client) -> None:
    """Return when Envoy has found out that all services are well."""
    async with asyncio.timeout(30):
        while True:
            try:
                await client.create_conversation(title="first")
                return
            except Unavailable:
                await asyncio.sleep(0.1)
