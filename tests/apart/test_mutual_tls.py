"""Between services both sides show a certificate of the installation's authority."""

from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner

from antiphon_client.tls import Tls
from antiphon_server.cli.main import app
from antiphon_server.installation import NAMES, ServiceName
from antiphon_server.settings import Settings
from tests.apart.installation import Installation


class WithCertificates(Installation):
    """An installation whose servers each have their certificate of ``antiphon certs``."""

    def settings(self, service: ServiceName, **other: object) -> Settings:
        """See :meth:`Installation.settings`."""
        folder = self.home / "certs"
        files = {
            "tls_cert": folder / f"{service}.pem",
            "tls_key": folder / f"{service}.key",
            "tls_client_ca": folder / "ca.pem",
            "peer_ca": folder / "ca.pem",
        }
        return super().settings(service, **{**files, **other})


def made(folder: Path) -> Path:
    """Certificates, as the command makes them."""
    done = CliRunner().invoke(app, ["certs", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def shown(folder: Path, name: str) -> Tls:
    """What a client shows that has the certificate of that name."""
    return Tls(
        (folder / "ca.pem").read_bytes(),
        (folder / f"{name}.pem").read_bytes(),
        (folder / f"{name}.key").read_bytes(),
    )


@pytest.fixture
def trusts(tmp_path: Path) -> tuple[Tls, list[Tls | None]]:
    """What the edge shows, and what strangers do."""
    mine, foreign = made(tmp_path / "certs"), made(tmp_path / "foreign")
    edge, other = shown(mine, "edge"), shown(foreign, "edge")
    forged = Tls(edge.authorities, other.certificate, other.key)
    return edge, [None, Tls(edge.authorities), forged]


async def test_both_sides_show_who_they_are(
    tmp_path: Path, trusts: tuple[Tls, list[Tls | None]]
) -> None:
    """A turn goes through; without a certificate, or with another authority's, nobody connects."""
    edge, strangers = trusts
    async with WithCertificates(tmp_path, tls=edge) as apart:
        await apart.start(*NAMES)
        await apart.connected()
        async with apart.client() as client:
            conversation = await client.create_conversation(title="sealed")
            async with client.converse(conversation.conversation_id) as live:
                turn = await live.post("over mutual TLS")
                assert (await turn.result()).text == "over mutual TLS"
        for apart.tls in strangers:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await apart.health("context")
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_certificates_are_renewed_by_the_same_authority(tmp_path: Path) -> None:
    """Run again, the command makes new ones, and those of before are trusted still."""
    folder = made(tmp_path)
    authority, before = (folder / "ca.pem").read_bytes(), (folder / "auth.pem").read_bytes()
    made(folder)
    assert (folder / "ca.pem").read_bytes() == authority
    assert (folder / "auth.pem").read_bytes() != before
    assert (folder / "auth.key").stat().st_mode & 0o077 == 0
