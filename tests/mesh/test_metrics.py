"""What Prometheus gets of the mesh: who is registered, and what Envoy has counted."""

import asyncio
from pathlib import Path

import aiohttp
from msgspec.structs import replace

from tests.e2e.until import SOON_S
from tests.mesh.nodes import HOST, PORTS, installation, node
from tests.proofs.bench.processes import free_port

WANTED = (
    'antiphon_mesh_instances{service="events",state="serving"} 1.0',
    'envoy_cluster_membership_healthy{envoy_cluster_name="events"} 1',
)


async def test_the_edge_and_the_registry_are_scraped_at_one_place(tmp_path: Path) -> None:
    """A node that is registered and found healthy is in the figures of both."""
    port = free_port()
    ports = replace(PORTS, admin_port=port)
    async with (
        installation(tmp_path, ports) as at,
        node(at, "one"),
        aiohttp.ClientSession() as session,
        asyncio.timeout(SOON_S),
    ):
        text = ""
        while not all(line in text for line in WANTED):
            await asyncio.sleep(0.05)
            async with session.get(f"http://{HOST}:{port}/metrics") as answer:
                assert answer.status == 200
                text = await answer.text()
        assert "antiphon_serving 1.0" in text
