"""The port's TLS: what it takes, what it refuses, and certificates that change."""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from antiphon_client import AntiphonError, Client, MemoryTokenStore, Tls, Tokens, Untrusted
from antiphon_client.address import open_channel
from antiphon_client.status import error_of_rpc
from antiphon_server.runtime.net.tls import ServerTls, TlsFiles, UnusableCertificate
from tests.certificates import Authority
from tests.runtime.events_service import healthy


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def serving(files: TlsFiles | None) -> AbstractAsyncContextManager[int]:
    """A server with that certificate; its port."""
    return healthy(credentials=ServerTls(files).credentials() if files else None)


async def ask(port: int, tls: Tls | None, host: str = "localhost") -> bool:
    """Whether the server says that it serves. Raises AntiphonError."""
    async with open_channel(f"{host}:{port}", tls) as channel:
        try:
            request = health_pb2.HealthCheckRequest()
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=10)
        except grpc.aio.AioRpcError as error:
            raise error_of_rpc(error) from None
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def refused(port: int, tls: Tls | None) -> str:
    """Why no secure connection comes about."""
    with pytest.raises(Untrusted) as caught:
        await ask(port, tls)
    return caught.value.message


async def test_who_trusts_the_authority_gets_in(authority: Authority) -> None:
    """The authority, or the certificate itself, is enough; so is another name if told."""
    files = authority.files("localhost", "chat.example.org")
    async with serving(files) as port:
        assert await ask(port, authority.trust)
        assert await ask(port, Tls(files.certificate.read_bytes()))
        assert await ask(port, replace(authority.trust, server_name="chat.example.org"))


async def test_why_a_certificate_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    """An authority that is unknown, a wrong name and one that has ended are told apart."""
    async with serving(authority.files()) as port:
        stranger = Authority(tmp_path).trust
        assert await refused(port, stranger) == (
            "the server's certificate is of no authority that is trusted here"
        )
        assert await refused(port, Tls()) == await refused(port, stranger)
        other = replace(authority.trust, server_name="other.example.org")
        assert await refused(port, other) == "the server's certificate is for another name"
    async with serving(authority.files(expired=True)) as port:
        assert await refused(port, authority.trust) == "the server's certificate has expired"


async def test_a_stream_gives_up_at_once(authority: Authority, tmp_path: Path) -> None:
    """Trying again makes nobody trusted: follow ends with the reason, not after 5 minutes."""
    async with serving(authority.files()) as port:
        stranger = Authority(tmp_path).trust
        address = f"localhost:{port}"
        store = MemoryTokenStore(Tokens("access", time.time() + 600, "refresh", time.time() + 900))
        client = Client.connect(address, store=store, tls=stranger)
        async with client, asyncio.timeout(20):
            with pytest.raises(Untrusted, match="of no authority"):
                async for _ in client.follow("conversations/conv_0123456789"):
                    pass


async def test_one_side_speaks_plainly(authority: Authority) -> None:
    """Nothing gets through, and a client with TLS is told why."""
    async with serving(None) as port:
        assert await refused(port, authority.trust) == "the server's port does not speak TLS"
    async with serving(authority.files()) as port:
        with pytest.raises(AntiphonError) as caught:
            await ask(port, None)
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE


async def test_clients_need_a_certificate_where_that_is_asked(
    authority: Authority, tmp_path: Path
) -> None:
    """With an authority for clients, only who has its certificate gets in."""
    clients = Authority(tmp_path / "clients")
    clients.folder.mkdir()
    own = clients.files("anna@example.org", stem="anna")
    stranger = Authority(tmp_path).ca.issue_cert("anna@example.org")
    async with serving(replace(authority.files(), client_ca=clients.file)) as port:
        good = replace(
            authority.trust, certificate=own.certificate.read_bytes(), key=own.key.read_bytes()
        )
        assert await ask(port, good)
        with pytest.raises(AntiphonError):
            await ask(port, authority.trust)
        bad = replace(
            good,
            certificate=stranger.cert_chain_pems[0].bytes(),
            key=stranger.private_key_pem.bytes(),
        )
        with pytest.raises(AntiphonError):
            await ask(port, bad)


def spoken(port: int, change: Callable[[ssl.SSLContext], None]) -> tuple[str | None, bytes]:
    """The version agreed on, and the first bytes that the server says; none if it hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    change(context)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        try:
            with context.wrap_socket(plain) as secure:
                secure.settimeout(10)
                return secure.version(), secure.recv(9)
        except (ssl.SSLError, OSError):
            return None, b""


def _at_most(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def change(context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")  # else this side would refuse by itself
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, version
        context.set_alpn_protocols(["h2"])

    return change


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "agreed"),
    [
        (ssl.TLSVersion.TLSv1, None),
        (ssl.TLSVersion.TLSv1_1, None),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
async def test_old_versions_are_refused(
    authority: Authority, version: ssl.TLSVersion, agreed: str | None
) -> None:
    """TLS 1.2 is the least (RFC 8996)."""
    async with serving(authority.files()) as port:
        found, words = await asyncio.to_thread(spoken, port, _at_most(version))
    assert found == agreed
    assert bool(words) is bool(agreed)


@pytest.mark.parametrize(
    ("protocols", "answers"), [([], False), (["http/1.1"], False), (["h2"], True)]
)
async def test_only_http2_is_spoken(
    authority: Authority, protocols: list[str], answers: bool
) -> None:
    """Who has not agreed on h2 (RFC 7301) gets not one byte."""

    def change(context: ssl.SSLContext) -> None:
        if protocols:
            context.set_alpn_protocols(protocols)

    async with serving(authority.files()) as port:
        _, words = await asyncio.to_thread(spoken, port, change)
    assert bool(words) is answers


async def test_a_new_certificate_needs_no_restart(authority: Authority, tmp_path: Path) -> None:
    """The next connection gets it; one that is open stays open."""
    async with serving(authority.files()) as port:
        async with open_channel(f"localhost:{port}", authority.trust) as channel:
            check = health_pb2_grpc.HealthStub(channel).Check
            await check(health_pb2.HealthCheckRequest(), timeout=10)
            successor = Authority(tmp_path)
            successor.files()
            assert await ask(port, successor.trust)
            await check(health_pb2.HealthCheckRequest(), timeout=10)
        with pytest.raises(Untrusted):
            await ask(port, authority.trust)


async def test_handshakes_that_fail_leave_a_trace(authority: Authority, tmp_path: Path) -> None:
    """Who does not trust the certificate, or speaks no TLS, is counted; who calls is not."""
    tls = ServerTls(authority.files())
    handshakes = tls.handshakes
    async with healthy(credentials=tls.credentials(), called=handshakes.called) as port:
        async with open_channel(f"localhost:{port}", authority.trust) as channel:
            check = health_pb2_grpc.HealthStub(channel).Check
            for _ in range(3):
                await check(health_pb2.HealthCheckRequest(), timeout=10)
        assert [handshakes.look(), handshakes.look()] == [0, 0]
        await refused(port, Authority(tmp_path).trust)
        await asyncio.to_thread(_speak_plainly, port)
        assert handshakes.look() == 0  # they may still make one
        assert handshakes.look() >= 2
        assert handshakes.look() == 0


def _speak_plainly(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        connection.recv(100)


async def test_half_a_renewal_is_waited_for(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A certificate without its key yet, garbage and no file at all: the old one goes on."""
    files = authority.files()
    old_key = files.key.read_bytes()
    async with serving(files) as port:
        authority.files()
        new_key = files.key.read_bytes()
        files.key.write_bytes(old_key)
        assert await ask(port, authority.trust)
        assert "is not the key of" in caplog.text
        files.certificate.unlink()
        assert await ask(port, authority.trust)
        authority.files()
        files.key.write_bytes(new_key[:100])
        assert await ask(port, authority.trust)
        assert new_key.decode() not in caplog.text


async def test_a_new_certificate_that_is_over_is_not_taken(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """While the old one holds, as a start would not take it; the next good one is."""
    tls = ServerTls(authority.files())
    ends = tls.ends
    async with healthy(credentials=tls.credentials()) as port:
        authority.files(expired=True)
        for _ in range(2):
            assert await ask(port, authority.trust)
        assert caplog.text.count("the new certificate is not used, as the old one holds") == 1
        assert tls.ends == ends
        authority.files()
        assert await ask(port, authority.trust)
    async with serving(authority.files(expired=True)) as port:
        assert "expired" in await refused(port, authority.trust)
        authority.files()
        assert await ask(port, authority.trust)


def _other_key(files: TlsFiles) -> None:
    kept = files.certificate.read_bytes()
    Authority(files.key.parent).files()
    files.certificate.write_bytes(kept)


def _unreadable(files: TlsFiles) -> None:
    files.key.unlink()
    os.mkdir(files.key)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda files: files.key.unlink(), "tls.key: No such file or directory"),
        (_other_key, "tls.key is not the key of"),
        (lambda files: files.certificate.write_text("hello"), "is no PEM file"),
        (_unreadable, "Is a directory"),
    ],
)
def test_a_first_certificate_has_to_work(
    authority: Authority, harm: Callable[[TlsFiles], None], says: str
) -> None:
    """A start with files that can't be used is refused, with their names."""
    files = authority.files()
    harm(files)
    with pytest.raises(UnusableCertificate) as refused:
        ServerTls(files)
    assert says in str(refused.value)
