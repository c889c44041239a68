"""A control plane that is away, comes back, or tells what Envoy can't use."""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

import grpc
import pytest
from msgspec.structs import replace

from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.mesh.compose import edge_of_mesh
from antiphon_server.mesh.envoy.process import Envoy
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.mesh.resources import CLUSTERS, ORDER, Resources
from antiphon_server.runtime.process.lifecycle import Lifecycle
from tests.e2e.until import SOON_S
from tests.mesh.nodes import HOST, PORTS, installation, node
from tests.proofs.bench.processes import free_port
from tests.runtime.events_service import HEAD

AWAY_S = 2.0
"""Longer than a lease."""


async def test_envoy_goes_on_without_it(tmp_path: Path) -> None:
    """Calls are led where they were while the control plane is away, and after it is back."""
    ports = replace(
        PORTS, envoy=False, port=free_port(), ads_port=free_port(), edge_port=free_port()
    )
    edge = Edge(Address(HOST, ports.edge_port))
    async with contextlib.AsyncExitStack() as life, contextlib.AsyncExitStack() as rest:
        at = await life.enter_async_context(installation(tmp_path / "data", ports))
        await rest.enter_async_context(node(at, "one"))
        lifecycle = await rest.enter_async_context(Lifecycle())
        envoy = edge_of_mesh(at.mesh.ads, edge, tmp_path / "envoy.log")
        await envoy.serve(lifecycle, grace_s=0.1)
        channel = await rest.enter_async_context(
            grpc.aio.insecure_channel(f"{HOST}:{ports.edge_port}")
        )
        events: Any = stubs.EventServiceStub(channel)
        await events.GetHead(HEAD, wait_for_ready=True, timeout=10)
        await answering(envoy, events)
        await life.aclose()
        await calls_for(AWAY_S, events)
        async with installation(tmp_path / "data", ports):
            await calls_for(AWAY_S, events)


async def answering(envoy: Envoy, events: Any) -> None:
    """Wait until Envoy has found the node healthy."""
    async with asyncio.timeout(SOON_S):
        while True:
            with contextlib.suppress(grpc.aio.AioRpcError):
                await events.GetHead(HEAD, timeout=1)
                return
            assert envoy.pid is not None
            await asyncio.sleep(0.05)


async def calls_for(seconds: float, events: Any) -> None:
    """Call all the time; every call is answered."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                await asyncio.shield(events.GetHead(HEAD, timeout=5))
                await asyncio.sleep(0.01)


def test_a_refusal_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Envoy's words, and what it keeps; the same is not sent again, but something else is."""
    from envoy_data_plane.envoy.service.discovery.v3 import DiscoveryRequest
    from envoy_data_plane.google.rpc import Status

    from antiphon_server.mesh.xds.subscriber import Subscriber

    def snapshot(version: str) -> dict[str, Resources]:
        return {kind: Resources(kind, version, {}) for kind in ORDER}

    subscriber = Subscriber()
    first = subscriber.asked(DiscoveryRequest(type_url=CLUSTERS), snapshot("1"))
    assert first is not None
    assert first.version_info == "1"
    refusal = DiscoveryRequest(
        type_url=CLUSTERS,
        response_nonce=first.nonce,
        error_detail=Status(message="no such thing"),
    )
    with caplog.at_level(logging.ERROR):
        assert subscriber.asked(refusal, snapshot("1")) is None
    assert "no such thing" in caplog.text
    assert list(subscriber.updates(snapshot("1"))) == []
    [second] = subscriber.updates(snapshot("2"))
    assert second.version_info == "2"
    stale = DiscoveryRequest(type_url=CLUSTERS, response_nonce=first.nonce)
    assert subscriber.asked(stale, snapshot("2")) is None
    accepted = DiscoveryRequest(type_url=CLUSTERS, response_nonce=second.nonce)
    assert subscriber.asked(accepted, snapshot("2")) is None
