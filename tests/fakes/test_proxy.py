import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.fakes.proxy import Proxy

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Proxy, Connection]]:
    """A proxy before a server that says all again, and bye at the end; a connection there."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
            writer.write(b"bye")
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with Proxy(server.sockets[0].getsockname()[1]) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        yield proxy, (reader, writer)
        writer.close()
    server.close()


async def goes_through(connection: Connection, words: bytes = b"a") -> None:
    """What is said comes back."""
    reader, writer = connection
    writer.write(words)
    assert await reader.readexactly(len(words)) == words


async def is_reset(reader: asyncio.StreamReader, size: int = 1) -> None:
    """So many bytes do not come, but a reset."""
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(size)


async def lets_others_in(proxy: Proxy) -> None:
    """A new connection works."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    await goes_through((reader, writer))
    writer.close()


async def test_it_carries_bytes_both_ways() -> None:
    """What is sent comes back, and an end of writing is passed on."""
    async with echo() as (_, (reader, writer)):
        writer.write(b"x" * 200_000)
        writer.write_eof()
        assert await reader.read(-1) == b"x" * 200_000 + b"bye"


async def test_a_cut_resets_the_connection() -> None:
    """A cut is seen as a reset, and the next connection works."""
    async with echo() as (proxy, connection):
        await goes_through(connection)
        proxy.cut()
        await is_reset(connection[0])
        await lets_others_in(proxy)


async def test_a_cut_can_wait_for_a_number_of_bytes() -> None:
    """After so many bytes the connection is reset."""
    async with echo() as (proxy, (reader, writer)):
        proxy.cut_after(10)
        writer.write(b"x" * 10)
        await is_reset(reader, 11)


async def test_a_cut_can_wait_for_words_that_then_do_not_arrive() -> None:
    """For the second time, here; what came before has arrived, the next connection works."""
    async with echo() as (proxy, connection):
        proxy.cut_before(b"stop", at=2)
        await goes_through(connection, b"stop")
        connection[1].write(b"stop")
        await is_reset(connection[0])
        await lets_others_in(proxy)


async def test_a_stall_holds_bytes_back_until_it_ends() -> None:
    """Nothing passes during a stall, and nothing is lost by it."""
    async with echo() as (proxy, (reader, writer)):
        proxy.stall("down")
        writer.write(b"held")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.readexactly(4)
        proxy.flow()
        assert await reader.readexactly(4) == b"held"


async def test_a_half_close_ends_one_direction_only() -> None:
    """The server can still be written to; what it says goes nowhere, and the connection lives."""
    async with echo() as (proxy, connection):
        await goes_through(connection)
        proxy.half_close("down")
        reader, writer = connection
        assert await reader.read(1) == b""
        writer.write(b"an echo that nobody hears")
        await writer.drain()
        await asyncio.sleep(0.05)
        assert (await reader.read(), proxy.open) == (b"", 1)


async def test_a_refusal_resets_new_connections_only() -> None:
    """New connections are reset until the proxy lets them flow."""
    async with echo() as (proxy, connection):
        await goes_through(connection)
        proxy.refuse()
        reader, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
        await is_reset(reader)
        await goes_through(connection)
        proxy.flow()
        await lets_others_in(proxy)
