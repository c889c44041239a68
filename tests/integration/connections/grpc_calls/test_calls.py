"""Calls of methods: encrypted, in time, and as streams."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon_server.integration.connections.adapters.grpc_calls.kind import GrpcServers
from antiphon_server.integration.connections.adapters.grpc_calls.link import MOST_MESSAGES
from antiphon_server.integration.connections.adapters.signing import OperatorSecrets
from antiphon_server.integration.connections.model import Connection, Grpc, Limits
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.certificates import Authority
from tests.e2e.refusals import Refused
from tests.integration.connections.grpc_calls.things import Given, Things, call, linked, serving
from tests.proofs.bench.processes import free_port

REFUSED = [
    *("unix:/tmp/x", "unix:///tmp/x", "unix-abstract:x", "vsock:2:50051", "fd:3", "xds:///x"),
    *("dns:///a.example:50051", "ipv4:127.0.0.1:50051", "a.example:50051", "ftp://a.example"),
    *("https://a.example/unix:x", "https://a.example?x", "https://u:p@a.example", "https://"),
]


def _credentials(authority: Authority, *names: str, expired: bool = False) -> Any:
    files = authority.files(*names, expired=expired)
    pair = (files.key.read_bytes(), files.certificate.read_bytes())
    return grpc.ssl_server_credentials([pair])


async def test_tls_trusts_whom_the_machine_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority of `SSL_CERT_FILE`, and nobody else; by name, and by address."""
    authority = Authority(tmp_path)
    credentials = _credentials(authority, "localhost", "127.0.0.1")
    async with serving(Things(), credentials=credentials) as port:
        async with linked(Grpc(f"https://localhost:{port}")) as link:
            with Refused(Reason.CONNECTION_UNAVAILABLE):
                await link.discover()
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        for host in ("localhost", "127.0.0.1"):
            async with linked(Grpc(f"https://{host}:{port}")) as link:
                await link.discover()
                result: Any = await link.call(call("Echo", text="sealed"))
                assert result.structured["text"] == "sealed"


@pytest.mark.parametrize(("names", "expired"), [(["other.example"], False), (["localhost"], True)])
async def test_a_certificate_that_is_not_the_servers_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], expired: bool
) -> None:
    """Another one's, and one whose time is over."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    credentials = _credentials(authority, *names, expired=expired)
    async with (
        serving(Things(), credentials=credentials) as port,
        linked(Grpc(f"https://localhost:{port}")) as link,
    ):
        with Refused(Reason.CONNECTION_UNAVAILABLE):
            await link.discover()


async def test_who_speaks_without_encryption_is_told_nothing(tmp_path: Path) -> None:
    """Neither side takes the other's word for the other protocol."""
    things = Things()
    async with serving(things) as port, linked(Grpc(f"https://localhost:{port}")) as link:
        with Refused(Reason.CONNECTION_UNAVAILABLE):
            await link.discover()
    credentials = _credentials(Authority(tmp_path))
    async with (
        serving(things, credentials=credentials) as port,
        linked(Grpc(f"http://localhost:{port}")) as link,
    ):
        with Refused(Reason.CONNECTION_UNAVAILABLE):
            await link.discover()


async def test_a_server_that_comes_back_is_found_by_the_next_probe() -> None:
    """However often it was looked for in vain: nobody waits for a pause of gRPC's own."""
    port = free_port()
    async with linked(Grpc(f"http://127.0.0.1:{port}")) as link:
        for _ in range(3):
            for _ in range(2):
                with Refused(Reason.CONNECTION_UNAVAILABLE):
                    await link.discover()
            async with serving(Things(), port=port):
                await link.discover()
                await link.call(call("Echo"))


async def test_the_deadline_goes_along() -> None:
    """The server knows how long is waited for it."""
    things = Things()
    async with (
        serving(things) as port,
        linked(Grpc(f"http://127.0.0.1:{port}"), Limits(call_s=7.0)) as link,
    ):
        await link.discover()
        await link.call(call("Echo"))
        assert 5.0 < things.seconds_left < 7.5


async def test_a_stream_that_ends_is_a_list() -> None:
    """In the order in which it came; none is a list, too."""
    async with serving(Things()) as port, linked(Grpc(f"http://127.0.0.1:{port}")) as link:
        await link.discover()
        result: Any = await link.call(call("Count", id=3))
        assert [it["id"] for it in result.structured["messages"]] == ["1", "2", "3"]
        result = await link.call(call("Count", id=3))
        assert result.structured == {"messages": []}


@pytest.mark.parametrize(("text", "most"), [("", 8 << 20), ("x" * 1000, 64 * 1024)])
async def test_a_stream_without_end_is_ended(text: str, most: int) -> None:
    """By its messages, or by their bytes: what there is is told, and that there was more."""
    things = Things()
    async with (
        serving(things) as port,
        linked(Grpc(f"http://127.0.0.1:{port}"), Limits(max_bytes=most)) as link,
    ):
        await link.discover()
        result: Any = await link.call(call("Count", id=-1, text=text))
        found = len(result.structured["messages"])
        assert 60 < found <= 65 if text else found == MOST_MESSAGES
        assert f"ended after {found} messages" in result.parts[-1].content
        async with asyncio.timeout(5):
            await things.cancelled.wait()


@pytest.mark.parametrize("address", REFUSED)
async def test_nothing_but_hosts_is_called(address: str) -> None:
    """Whoever says so, in the settings, too."""
    kind = GrpcServers(EgressPolicy(), OperatorSecrets({}, None), Given())  # type: ignore[arg-type]
    connection = Connection("", SourceName("x"), Grpc(address))
    for refused in (kind.check(connection), kind.link(connection, lambda: None)):
        with pytest.raises(DomainError) as why:
            await refused
        assert why.value.reason in (Reason.INVALID_ARGUMENT, Reason.EGRESS_DENIED)
