"""A real Envoy that learns from the control plane who is where."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.events.v1 import event_service_pb2_grpc as stubs
from tests.e2e.until import SOON_S, until, until_it
from tests.mesh.nodes import Installation, Node, installation, node
from tests.runtime.events_service import HEAD

GONE_S = 2.0
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """One control plane with its Envoy, for all tests of this file."""
    async with installation(tmp_path_factory.mktemp("mesh") / "data") as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def events(at: Installation) -> AsyncIterator[Any]:
    """The events service, wherever it is."""
    async with grpc.aio.insecure_channel(str(at.mesh.edge)) as channel:
        yield stubs.EventServiceStub(channel)


async def known(at: Installation, *nodes: Node) -> bool:
    """Whether Envoy sends calls to exactly these."""
    return set(await at.endpoints("events")) == {str(each.port) for each in nodes}


async def test_nodes_come_and_drain(at: Installation, events: Any) -> None:
    """Who registers is called; who withdraws is called no more, and no call fails."""
    async with node(at, "one") as one, node(at, "two") as two:
        await until_it(lambda: known(at, one, two), SOON_S)
        await events.GetHead(HEAD, wait_for_ready=True, timeout=5)
        answered: list[object] = []
        calls = asyncio.create_task(call_on(events, answered))
        await two.registration.withdraw()
        assert await known(at, one)
        await two.die()
        await until(lambda: calls.done() or len(answered) > 10)
        calls.cancel()
        await asyncio.wait([calls])
        assert calls.cancelled() or calls.exception() is None


async def call_on(events: Any, answered: list[object]) -> None:
    """Call again and again until cancelled. Raises AioRpcError: a call failed."""
    while True:
        answered.append(await events.GetHead(HEAD, timeout=SOON_S))


async def test_who_dies_is_out_within_two_seconds(at: Installation) -> None:
    """A node that is gone without a word."""
    async with node(at, "one") as one, node(at, "two") as two:
        await until_it(lambda: known(at, one, two), SOON_S)
        await two.die()
        took = await until_it(lambda: known(at, one), SOON_S)
    print(f"out of the endpoints after {took:.2f} s")
    assert took < GONE_S
