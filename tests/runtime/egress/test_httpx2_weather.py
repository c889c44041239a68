"""Servers that break HTTP: httpx2 has a typed error at once, and the next request is whole."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import psutil
import pytest

from antiphon_server.integration.connections.faults import Cause, Fault, fault_of
from antiphon_server.runtime.net.egress.httpx2_transport import MAX_CONNECTIONS
from tests.e2e.until import until
from tests.runtime.egress.places import LOOPBACK, guarded

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: 2\r\n\r\nhi"
OTHER = OK + b"Content-Length: 5\r\n\r\nother"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
END = b""
"""Among what a server writes: it closes the connection."""
LARGE = 20_000_000
"""More than the system takes for a server."""
PAUSE_S = 0.02
"""Between what a server writes, so that it comes in pieces."""


@dataclass
class Server:
    """Answers each request with these bytes, in pieces; closes where one is empty."""

    answer: tuple[bytes, ...]
    asked: list[bytes] = field(default_factory=list)
    sockets: list[asyncio.StreamWriter] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.sockets.append(writer)
        try:
            while True:
                self.asked.append(await _request(reader))
                for piece in self.answer:
                    if piece == END:
                        return
                    writer.write(piece)
                    await asyncio.sleep(PAUSE_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(it[15:]) for it in lines if it.startswith(b"content-length:"))
    return head + await reader.readexactly(length)


@asynccontextmanager
async def _serving(*answer: bytes) -> AsyncIterator[tuple[Server, httpx2.AsyncClient]]:
    found = Server(answer)
    server = await asyncio.start_server(found.serve, LOOPBACK, 0)
    found.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/"
    async with server, httpx2.AsyncClient(transport=guarded(), trust_env=False) as client:
        yield found, client


async def test_what_is_said_unasked_answers_nothing() -> None:
    """A second answer to one request is not the first to the next."""
    async with _serving(WHOLE, OTHER) as (server, client):
        for count in range(1, 4):
            assert (await client.post(server.url, content=b"x")).text == "hi"
            await asyncio.sleep(3 * PAUSE_S)
            assert len(server.asked) == count


async def test_nothing_is_sent_where_its_server_has_closed() -> None:
    """Not even when that is known to the system alone, by the moment of the next request."""
    async with _serving(WHOLE) as (server, client):
        for count in range(1, 11):
            assert (await client.post(server.url, content=b"x")).text == "hi"
            assert len(server.asked) == len(server.sockets) == count
            server.sockets[-1].get_extra_info("socket").shutdown(socket.SHUT_RDWR)


async def test_connections_are_used_again() -> None:
    """Those that are whole."""
    async with _serving(WHOLE) as (server, client):
        for _ in range(3):
            await client.post(server.url, content=b"x")
        assert (len(server.asked), len(server.sockets)) == (3, 1)


async def test_what_may_have_arrived_is_not_sent_twice() -> None:
    """A server that takes a message and goes has had it once, on a connection new or old."""
    async with _serving(WHOLE) as (server, client):
        await client.post(server.url, content=b"x")
        server.answer = (END,)
        for count in (2, 3):
            with pytest.raises(httpx2.RemoteProtocolError) as lost:
                await client.post(server.url, content=b"x")
            assert (len(server.asked), fault_of(lost.value)) == (count, Fault(Cause.CLOSED))


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ((CHUNKED, b"no number\r\n"), Cause.CLOSED),
        ((CHUNKED + b"no number\r\n",), Cause.NOT_THE_PROTOCOL),
        ((CHUNKED + b"5\r\nab", END), Cause.CLOSED),
        ((OK + b"Content-Length: 9\r\n\r\nhi", END), Cause.CLOSED),
        ((OK + b"Content-Le", END), Cause.CLOSED),
        ((OK + b"Content-Length: -2\r\n\r\n",), Cause.NOT_THE_PROTOCOL),
        ((b"SSH-2.0-OpenSSH\r\n",), Cause.NOT_THE_PROTOCOL),
        ((OK + b"A: b\r\n" * 100_000,), Cause.NOT_THE_PROTOCOL),
        ((OK + b"A: " + b"b" * 1_000_000 + b"\r\n",), Cause.NOT_THE_PROTOCOL),
    ],
)
async def test_it_ends_at_once_and_by_name(answer: tuple[bytes, ...], cause: Cause) -> None:
    """Whatever is wrong with an answer, nobody waits for more of it."""
    async with _serving(*answer) as (server, client), asyncio.timeout(3):
        with pytest.raises(httpx2.RemoteProtocolError) as refused:
            await client.post(server.url, content=b"x")
        assert fault_of(refused.value) == Fault(cause)
        server.answer = (WHOLE,)
        assert (await client.post(server.url, content=b"x")).text == "hi"


async def test_bodies_that_are_given_in_pieces_are_sent_whole() -> None:
    """With their length, and without the words of a body in chunks."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"two "
        yield b"pieces"

    async with _serving(WHOLE) as (server, client):
        await client.post(server.url, content=pieces())
    assert server.asked[0].endswith(b"\r\n\r\ntwo pieces")
    assert b"chunked" not in server.asked[0].lower()


async def test_an_answer_that_is_announced_for_ever_times_out() -> None:
    """Each announcement would be an answer within its time."""
    announced = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    async with _serving(*[announced] * 500) as (server, client), asyncio.timeout(5):
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(server.url, content=b"x", timeout=0.1)


@pytest.mark.parametrize("answer", [(), (OK + b"Content-Length: 9\r\n\r\n",)])
async def test_what_is_cancelled_gives_its_connection_back(answer: tuple[bytes, ...]) -> None:
    """Whether it waits for a place, connects, waits for an answer or reads it."""
    async with _serving(*answer) as (server, client):
        for moment in range(20):
            asked = [client.post(server.url, content=b"x") for _ in range(4 * MAX_CONNECTIONS)]
            running = [asyncio.create_task(each) for each in asked]
            await asyncio.sleep(moment / 500)
            for task in running:
                task.cancel()
            await asyncio.wait(running)
        assert all(task.cancelled() for task in running)
        server.answer = (WHOLE,)
        asked = [client.post(server.url, content=b"x", timeout=5) for _ in range(MAX_CONNECTIONS)]
        assert [each.text for each in await asyncio.gather(*asked)] == ["hi"] * MAX_CONNECTIONS


async def test_a_place_whose_next_one_goes_is_the_next_ones() -> None:
    """One is cancelled, the one behind it just as it gets the place: the third has it at once."""
    async with _serving() as (server, client):
        asked = [
            client.post(server.url, content=b"x", timeout=60) for _ in range(MAX_CONNECTIONS + 2)
        ]
        running = [asyncio.create_task(each) for each in asked]
        await until(lambda: len(server.asked) == MAX_CONNECTIONS)
        running[0].cancel()
        asyncio.get_running_loop().call_soon(running[MAX_CONNECTIONS].cancel)
        await until(lambda: len(server.asked) == MAX_CONNECTIONS + 1, timeout_s=5)
        for task in running:
            task.cancel()
        await asyncio.wait(running)


async def test_a_pool_that_was_closed_stays_closed() -> None:
    """Also for a request that came first, and was about to open it: nobody would close it."""
    async with _serving(WHOLE) as (server, client):
        first = asyncio.create_task(client.post(server.url, content=b"x"))
        await asyncio.sleep(0)
        await client._transport.aclose()
        for asked in (first, client.post(server.url, content=b"x")):
            with pytest.raises(httpx2.TransportError):
                await asked
    assert server.asked == []


async def test_nothing_is_kept_for_a_server_that_takes_nothing() -> None:
    """A request that is given up while it is sent has no socket any longer."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        async with httpx2.AsyncClient(transport=guarded(), trust_env=False) as client:
            asking = client.post(f"http://{LOOPBACK}:{port}/", content=bytes(LARGE))
            running = asyncio.create_task(asking)
            await until(lambda: _open_to(port) == 1)
            running.cancel()
            await until(lambda: not _open_to(port), timeout_s=5)


def _open_to(port: int) -> int:
    """How many sockets of this process lead there."""
    found = psutil.Process().net_connections()
    return sum(1 for each in found if each.raddr and each.raddr.port == port)
