"""Why a connection is down, of each kind, by real servers that are not what was said."""

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from antiphon.integration.v1 import connection_pb2
from antiphon_server.integration.connection_encoding import connection_status
from antiphon_server.integration.connections.adapters.grpc_calls.kind import GrpcServers
from antiphon_server.integration.connections.adapters.mcp_kinds import McpPrograms, McpServers
from antiphon_server.integration.connections.adapters.rest_kind import RestServices
from antiphon_server.integration.connections.adapters.web_socket_kind import WebSockets
from antiphon_server.integration.connections.faults import Cause
from antiphon_server.integration.connections.model import (
    Connection,
    Grpc,
    Limits,
    Mcp,
    McpProgram,
    OpenApi,
    ProgramId,
    State,
    Status,
    Target,
    WebSocket,
)
from antiphon_server.integration.connections.ports import Kind
from antiphon_server.integration.connections.settings import ProgramSettings
from antiphon_server.integration.connections.supervision import Supervised
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.causes import CAUSES, cause_in_words
from antiphon_server.runtime.errors.wire import status_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.certificates import Authority

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
KINDS = ("mcp", "openapi", "websocket", "grpc")
NOBODY = EgressPolicy()
PROGRAMS = {
    "absent": ProgramSettings("/nowhere/at/all"),
    "no-folder": ProgramSettings(sys.executable, folder=Path("/nowhere/at/all")),
    "ends": ProgramSettings(sys.executable, ("-c", "raise SystemExit(3)")),
    "silent": ProgramSettings(sys.executable, ("-c", "import time; time.sleep(60)")),
}


class Nothing:
    """No secret and no document."""

    async def value(self, workspace_id: str, name: SecretName) -> str:
        raise AssertionError

    async def document(self, connection: Connection) -> bytes:
        raise AssertionError


def target(kind: str, place: str, *, encrypted: bool = False) -> tuple[Kind, Target]:
    """A kind, and where it is told to call."""
    nothing, tls = Nothing(), "s" * encrypted
    url = f"http{tls}://{place}"
    match kind:
        case "mcp":
            return McpServers(NOBODY, nothing), Mcp(f"{url}/mcp")
        case "openapi":
            return RestServices(NOBODY, nothing, nothing), OpenApi(f"{url}/openapi.json")
        case "websocket":
            return WebSockets(NOBODY, nothing), WebSocket(f"ws{tls}://{place}/ws")
        case _:
            return GrpcServers(NOBODY, nothing, nothing), Grpc(url)


async def nobody(connection: Connection, status: Status | None) -> None:
    """Whom nothing needs to be told."""


async def probed(kind: Kind, target: Target, *, workspace: str = "", open_s: float = 10) -> Status:
    """What a probe of it finds out; of the installation, unless a workspace is given."""
    limits = Limits(open_s=open_s)
    connection = Connection(workspace, SourceName("it"), target, limits=limits)
    one = Supervised(connection, kind, nobody)
    try:
        return await one.probe()
    finally:
        await one.close()


def why(status: Status) -> Mapping[str, str]:
    """What the contract says of it."""
    assert status.state is State.DOWN
    told = connection_status(status)
    cause = connection_pb2.ConnectionCause.Name(told.error_cause)
    return {"cause": cause.removeprefix("CONNECTION_CAUSE_"), **told.error_metadata}


@asynccontextmanager
async def answering(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that does the same with whoever comes."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"localhost:{server.sockets[0].getsockname()[1]}"


async def not_found(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
    await closing(reader, writer)


async def not_found_by_http2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Settings; then the 404 of RFC 7541's table as the whole answer of each stream in turn."""
    writer.write(frame(4, 0, 0, b""))
    for stream in (1, 3, 5):
        await reader.read(10_000)
        await asyncio.sleep(0.05)
        writer.write(frame(1, 5, stream, b"\x8d"))
    await silent(reader, writer)


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One of HTTP/2 (RFC 9113)."""
    head = (kind, flags, *stream.to_bytes(4))
    return len(payload).to_bytes(3) + bytes(head) + payload


async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    told = b"<html>hello</html>"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(told)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + told)
    await closing(reader, writer)


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    writer.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1000):
        pass
    writer.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_listens(kind: str) -> None:
    """At a port that is held and not listened at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        status = await probed(*target(kind, f"localhost:{held.getsockname()[1]}"))
    assert status.error_reason == "CONNECTION_UNAVAILABLE"
    assert why(status) == {"cause": "REFUSED"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_name_that_nobody_has(kind: str) -> None:
    """By RFC 6761 nobody has it."""
    assert why(await probed(*target(kind, "nowhere.invalid:80"))) == {"cause": "NAME_NOT_FOUND"}


@pytest.mark.parametrize("kind", KINDS)
async def test_encryption_where_there_is_none_and_the_other_way(kind: str, tmp_path: Path) -> None:
    """TLS at a port that speaks HTTP, HTTP at one of TLS, and an authority that nobody trusts."""
    files = Authority(tmp_path).files("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    async with answering(not_found) as plain:
        told = why(await probed(*target(kind, plain, encrypted=True)))
        assert told == {"cause": "TLS_FAILED"}
    async with answering(not_found, context) as encrypted:
        assert why(await probed(*target(kind, encrypted))) == {"cause": "CLOSED"}
        told = why(await probed(*target(kind, encrypted, encrypted=True)))
        assert told == {"cause": "CERTIFICATE_REFUSED"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_path_that_is_not_there(kind: str) -> None:
    """The status is told, to gRPC by HTTP/2, which it speaks."""
    async with answering(not_found_by_http2 if kind == "grpc" else not_found) as place:
        told = why(await probed(*target(kind, place)))
    assert told == {"cause": "HTTP_STATUS", "http_status": "404"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mcp", {"cause": "NOT_THE_PROTOCOL"}),
        ("websocket", {"cause": "HTTP_STATUS", "http_status": "200"}),
        ("grpc", {"cause": "NOT_THE_PROTOCOL"}),
    ],
)
async def test_a_page_for_people(kind: str, expected: Mapping[str, str]) -> None:
    """It is no such server."""
    async with answering(page) as place:
        assert why(await probed(*target(kind, place))) == expected


async def test_a_page_for_people_is_no_document() -> None:
    """Then why it is none is told."""
    async with answering(page) as place:
        status = await probed(*target("openapi", place))
    assert status.error_reason == "INVALID_ARGUMENT"
    assert "document" in why(status)["why"]


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_says_nothing(kind: str) -> None:
    """It takes the connection, and that is all."""
    async with answering(silent) as place:
        assert why(await probed(*target(kind, place), open_s=1)) == {"cause": "TIMEOUT"}


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        ("absent", "PROGRAM_NOT_FOUND"),
        ("no-folder", "PROGRAM_NOT_FOUND"),
        ("ends", "PROGRAM_ENDED"),
        ("silent", "TIMEOUT"),
    ],
)
async def test_programs(program: str, cause: str) -> None:
    """One that can't be started, one that ends, one that says nothing."""
    kind = McpPrograms({ProgramId(id_): it for id_, it in PROGRAMS.items()})
    open_s = 1 if program == "silent" else 20
    told = await probed(kind, McpProgram(ProgramId(program)), open_s=open_s)
    assert why(told) == {"cause": cause}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_egress_refuses(kind: str) -> None:
    """Which host, and why; nothing is asked there."""
    status = await probed(*target(kind, "localhost:80"), workspace="ws_00000001")
    told = why(status)
    assert status.error_reason == "EGRESS_DENIED"
    assert told["host"] == "localhost"
    assert told["why"].startswith("its address belongs to this machine")


def test_each_cause_is_in_the_contract_and_has_words() -> None:
    """The three lists are equal, and what is said of a cause needs nothing but a status."""
    contract = {
        name.removeprefix("CONNECTION_CAUSE_"): number
        for name, number in connection_pb2.ConnectionCause.items()
        if number
    }
    assert contract == {it.name: it.value for it in Cause}
    assert set(CAUSES) == set(contract)
    for cause in CAUSES:
        assert "{" not in cause_in_words(cause)


def test_an_error_says_its_cause() -> None:
    """Whoever calls a tool meanwhile reads it."""
    error = DomainError(
        Reason.CONNECTION_UNAVAILABLE, connection="it", state="DOWN", cause="REFUSED"
    )
    assert "nothing listens at its port" in status_of(error).message
