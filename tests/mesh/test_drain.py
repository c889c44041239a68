"""An edge that is told to end while clients call it, who know of another one."""

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from msgspec.structs import replace

from antiphon.events.v1 import event_service_pb2_grpc as stubs
from tests.e2e.until import until_it
from tests.mesh.nodes import HOST, PORTS, Installation, installation, node
from tests.proofs.bench.processes import free_port
from tests.runtime.events_service import HEAD, read

CLOSED_S = 1.2
"""Longer than an edge that drains still listens."""
GRACE_S = 60.0


async def test_no_call_is_cut(tmp_path: Path) -> None:
    """Callers who try nothing again go elsewhere, and who is idle holds nobody up for long.

    Services call each other through it until its end.
    """
    ports = replace(PORTS, inside_port=free_port())
    async with AsyncExitStack() as rest, AsyncExitStack() as first:
        one = await first.enter_async_context(installation(tmp_path / "one", ports, GRACE_S))
        other = await rest.enter_async_context(installation(tmp_path / "other"))
        for at in (one, other):
            await rest.enter_async_context(node(at, "node"))
            await until_it(partial(_healthy, at), 20)
        both = f"ipv4:{one.mesh.edge},{other.mesh.edge}"
        callers = [
            await rest.enter_async_context(_never_again(both)) for _ in range(6)
        ]  # a connection each
        for caller in callers:
            await _events(caller).GetHead(HEAD, timeout=5)
        stopping = asyncio.Event()
        calls = [asyncio.create_task(_call(caller, stopping)) for caller in callers[1:]]
        await asyncio.sleep(0.5)
        began = time.monotonic()
        ending = asyncio.create_task(first.aclose())
        await asyncio.sleep(CLOSED_S)
        assert not ending.done()
        inside = await rest.enter_async_context(_never_again(f"{HOST}:{ports.inside_port}"))
        await _events(inside).GetHead(HEAD, timeout=5)
        await ending
        assert time.monotonic() - began < GRACE_S / 2
        await asyncio.sleep(0.2)
        stopping.set()
        assert min(await asyncio.gather(*calls)) > 0
        await _events(callers[0]).GetHead(HEAD, timeout=5)


async def _healthy(at: Installation) -> bool:
    return "HEALTHY" in (await at.endpoints("events")).values()


def _never_again(address: str) -> grpc.aio.Channel:
    """What an edge has seen is not sent twice on it: there is no service config."""
    return grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])


def _events(channel: grpc.aio.Channel) -> Any:
    return stubs.EventServiceStub(channel)


async def _call(channel: grpc.aio.Channel, stopping: asyncio.Event) -> int:
    """Make a quick call and a slower one in turn; how many were answered, which all have to be."""
    answered = 0
    while not stopping.is_set():
        await _events(channel).GetHead(HEAD, timeout=5)
        await _events(channel).ReadEvents(read("brief"), timeout=5)
        answered += 2
    return answered
