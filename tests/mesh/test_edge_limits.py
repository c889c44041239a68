"""What the edge refuses, and TLS at it."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_client.address import open_channel
from antiphon_server.mesh.compose import edge_before
from antiphon_server.mesh.model import Address, CallRates, Edge
from antiphon_server.runtime.error_table import domain_error_of
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.lifecycle import Lifecycle
from tests.certificates import Authority
from tests.mesh.grpc_web import GrpcWeb
from tests.mesh.world import HOST, small_server
from tests.runtime.events_service import HEAD

RATE = 5


async def test_too_many_calls_and_tls(tmp_path: Path) -> None:
    """At one call too many RATE_LIMITED comes with its delay, to grpc-web too; all by TLS."""
    authority = Authority(tmp_path)
    edge = Edge(
        Address(HOST, 0),
        tls=await asyncio.to_thread(authority.files),
        rates=CallRates(1_000, RATE),
    )
    async with small_server() as (_, port), Lifecycle() as lifecycle:
        envoy = edge_before(Address(HOST, port), edge, tmp_path / "envoy.log")
        await envoy.serve(lifecycle, grace_s=0.1)
        async with open_channel(f"https://localhost:{envoy.port}", authority.trust) as channel:
            events: Any = stubs.EventServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await calls(events, 4 * RATE)
        error = domain_error_of(refused.value)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert error.reason is Reason.RATE_LIMITED
        assert error.retry_after == 1.0


async def calls(events: Any, count: int) -> None:
    """One after the other."""
    for _ in range(count):
        await events.GetHead(HEAD, timeout=5)


async def test_too_many_calls_of_a_browser(tmp_path: Path) -> None:
    """The same, framed as grpc-web."""
    edge = Edge(Address(HOST, 0), rates=CallRates(1_000, RATE))
    async with small_server() as (_, port), Lifecycle() as lifecycle:
        envoy = edge_before(Address(HOST, port), edge, tmp_path / "envoy.log")
        await envoy.serve(lifecycle, grace_s=0.1)
        async with GrpcWeb(envoy.port) as browser:
            path = "/antiphon.events.v1.EventService/GetHead"
            answers = [await browser.unary(path, HEAD) for _ in range(4 * RATE)]
    exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert {answer.status for answer in answers} == {0, exhausted}
