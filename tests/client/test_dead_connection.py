"""A server that is gone without a word."""

import asyncio
import time
from typing import Any

import grpc
import pytest
from hyperframe.frame import SettingsFrame

from antiphon_client.address import open_channel
from tests.e2e.until import SOON_S
from tests.proofs.bench.processes import free_port

AWAY_S = 2.0


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shakes hands, and then says nothing more."""
    writer.write(SettingsFrame(0).serialize() + SettingsFrame(0, flags=["ACK"]).serialize())
    while await reader.read(4096):
        pass
    writer.close()


async def test_who_is_patient_waits_for_a_server_that_is_started_again() -> None:
    """A call that may be made twice is answered by the next life of the server."""
    port, answered = free_port(), b"\x0a\x01x"
    method = "/antiphon.events.v1.EventService/GetHead"

    async def head(_request: bytes, _context: Any) -> bytes:
        return answered

    channel = open_channel(f"127.0.0.1:{port}", patient=True)
    async with channel:
        call: Any = channel.unary_unary(method)
        waiting = asyncio.ensure_future(call(b"", timeout=20))
        await asyncio.sleep(AWAY_S)
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handler: Any = grpc.unary_unary_rpc_method_handler(head)
        service = "antiphon.events.v1.EventService"
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {"GetHead": handler}),)
        )
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        assert await waiting == answered
        await server.stop(None)


async def test_a_call_to_it_ends() -> None:
    """A call without a deadline fails as soon as a ping was not answered in time."""
    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    began = time.monotonic()
    channel = open_channel(f"127.0.0.1:{port}", ping_after_ms=1000, pong_within_ms=500)
    async with server, channel:
        call: Any = channel.unary_unary("/x.Y/Z")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async with asyncio.timeout(SOON_S):
                await call(b"")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert time.monotonic() - began < 15
