"""Several edges behind one name: a process is registered at each, whichever comes or goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from antiphon_server.mesh.instances import Announced, Key
from antiphon_server.mesh.model import Address
from antiphon_server.mesh.registration import Registration
from antiphon_server.mesh.registrations import Registrations
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.runtime.process.lifecycle import Lifecycle
from tests.e2e.until import SOON_S, until
from tests.mesh.nodes import PORTS, Installation, installation
from tests.proofs.bench.processes import free_port

NAME = "registry.example"


@asynccontextmanager
async def edge(folder: Path, host: str, port: int) -> AsyncIterator[Installation]:
    """A registry at an address of its own; its Envoy is somebody else's matter."""
    mesh: MeshSettings = replace(PORTS, host=host, port=port, envoy=False)
    async with installation(folder, mesh) as at:
        yield at


async def test_every_edge_knows_a_process(tmp_path: Path) -> None:
    """One that comes later is told, one that goes keeps nobody, and withdrawing is everywhere.

    One that comes after that is told nothing: no more calls are wanted.
    """
    port, service = free_port(), "events"
    addresses = {"127.0.0.1"}  # of this machine, in place of several

    async def look_up(_host: str, _port: int) -> set[str]:
        return set(addresses)

    async with AsyncExitStack() as rest:
        one = await rest.enter_async_context(edge(tmp_path, "127.0.0.1", port))
        announced = Announced(Key(service, "node"), Address("127.0.0.1", 1))

        def registered(channel: Any) -> Registration:
            return Registration(
                channel,
                {service: lambda: announced},
                {service: lambda: one.statement(service)},
            )

        everywhere = Registrations(f"{NAME}:{port}", registered, look_up=look_up, look_s=0.1)
        lifecycle = await rest.enter_async_context(Lifecycle())
        lifecycle.on_stop("registry", everywhere.close)
        lifecycle.spawn("registration", everywhere.run())
        everywhere.begin()
        await until(lambda: knows(one), SOON_S)
        async with edge(tmp_path, "127.0.0.2", port) as other:
            addresses.add("127.0.0.2")
            await until(lambda: knows(other), SOON_S)
        addresses.remove("127.0.0.2")
        await asyncio.sleep(2.0)  # longer than a lease
        await until(lambda: knows(one), SOON_S)
        async with edge(tmp_path, "127.0.0.3", port) as third:
            addresses.add("127.0.0.3")
            await until(lambda: knows(third), SOON_S)
            await everywhere.withdraw()
            for each in (one, third):
                assert [it.announced.state.name for it in each.mesh.known()] == ["DRAINING"]
            async with edge(tmp_path, "127.0.0.4", port) as late:
                addresses.add("127.0.0.4")
                await asyncio.sleep(1.0)  # ten looks
                assert not knows(late)
            await everywhere.forget()
            assert not knows(third)


def knows(at: Installation) -> bool:
    """Whether anything is registered there."""
    return bool(at.mesh.known())
