"""``antiphon mesh`` in a process of its own, with its Envoy, on ports that stay."""

import asyncio
import json
from pathlib import Path
from typing import Any

import grpc

from tests.e2e.process import COMMAND, HOST, LOOK_S, READY_S, OwnProcess, listens
from tests.proofs.bench.processes import free_port

GRACE_S = 2.0
"""So long streams are left alone: they are cut anyway, and nobody learns more from waiting."""


class EdgeProcess(OwnProcess):
    """A registry, a control plane and an edge; it opens when a server with auth is registered.

    ``mesh`` is more of its settings than its ports.
    """

    def __init__(self, home: Path, secret: str, **mesh: Any) -> None:
        self.name = home.name
        ports = {name: free_port() for name in ("port", "ads_port", "inside_port", "edge_port")}
        self.registry = f"{HOST}:{ports['port']}"
        self.inside = f"{HOST}:{ports['inside_port']}"
        self.port = ports["edge_port"]
        self._registry_port = ports["port"]
        variables = {
            "ANTIPHON_MESH": json.dumps({**ports, **mesh}),
            "ANTIPHON_SECRET_KEY": secret,
            "ANTIPHON_LOG_FORMAT": "json",
            "ANTIPHON_DRAIN_GRACE_S": str(GRACE_S),
        }
        told = ("mesh", "--data-dir", str(home / "data"), "--log-level", "warning")
        super().__init__((*COMMAND, *told), variables, home / "mesh.log")

    async def serves(self) -> bool:
        """Whether servers can register."""
        return await listens(self._registry_port)

    async def until_open(self) -> None:
        """Return when it takes calls. Raises TimeoutError."""
        async with asyncio.timeout(READY_S):
            while not await listens(self.port):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)
            async with grpc.aio.insecure_channel(f"{HOST}:{self.port}") as channel:
                await channel.channel_ready()
