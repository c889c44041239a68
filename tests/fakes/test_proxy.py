import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.fakes.proxy import Proxy


@asynccontextmanager
async def echo() -> AsyncIterator[Proxy]:
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
        yield proxy
    server.close()


async def test_it_carries_bytes_both_ways() -> None:
    """What is sent comes back, and an end of writing is passed on."""
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"x" * 200_000)
        writer.write_eof()
        assert await reader.read(-1) == b"x" * 200_000 + b"bye"
        writer.close()


async def test_a_cut_resets_the_connection() -> None:
    """A cut is seen as a reset, and the next connection works."""
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"b")
        assert await reader.readexactly(1) == b"b"
        writer.close()


async def test_a_cut_can_wait_for_a_number_of_bytes() -> None:
    """After so many bytes the connection is reset."""
    async with echo() as proxy:
        proxy.cut_after(10)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"x" * 10)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(11)


async def test_a_stall_holds_bytes_back_until_it_ends() -> None:
    """Nothing passes during a stall, and nothing is lost by it."""
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        proxy.stall("down")
        writer.write(b"held")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.readexactly(4)
        proxy.flow()
        assert await reader.readexactly(4) == b"held"
        writer.close()


async def test_a_half_close_ends_one_direction_only() -> None:
    """The server can still be written to after it has seemed to end."""
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        proxy.half_close("down")
        assert await reader.read(1) == b""
        before = proxy.up.flowing.is_set()
        writer.write(b"more")
        await writer.drain()
        assert before
        assert proxy.open == 1
        writer.close()


async def test_what_comes_after_a_half_close_is_dropped() -> None:
    """Bytes in the direction that has ended go nowhere, and the connection lives on."""
    async with echo() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        proxy.half_close("down")
        writer.write(b"an echo that nobody hears")
        await writer.drain()
        await asyncio.sleep(0.05)
        assert proxy.open == 1
        assert await reader.read() == b""
        writer.close()


async def test_a_refusal_resets_new_connections_only() -> None:
    """New connections are reset until the proxy lets them flow."""
    async with echo() as proxy:
        proxy.refuse()
        reader, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        proxy.flow()
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"b")
        assert await reader.readexactly(1) == b"b"
        writer.close()


async def test_a_cut_can_wait_for_words_that_then_do_not_arrive() -> None:
    """For the second time, here; what came before has arrived, the next connection works."""
    async with echo() as proxy:
        proxy.cut_before(b"stop", at=2)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"stop")
        assert await reader.readexactly(4) == b"stop"
        writer.write(b"stop")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"stop")
        assert await reader.readexactly(4) == b"stop"
        writer.close()
