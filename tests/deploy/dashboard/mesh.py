"""`antiphon up --mesh --replicas 2` as a process, and where each part's figures are."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from antiphon_client import Client, Password
from tests.mesh.up import Up, running_up
from tests.proofs.bench.processes import free_port

REPLICAS = 2
MODELS = [
    {
        "name": f"scripted/{name}",
        "kind": "scripted",
        "model": "count",
        "script": script,
        "input_price_micros": price,
        "output_price_micros": 4 * price,
    }
    for name, price, script in (
        ("large", 2_500_000, {"deltas": 120, "gap_ms": 15}),
        ("small", 150_000, {"deltas": 30, "gap_ms": 8}),
        ("broken", 150_000, {"deltas": 30, "gap_ms": 8, "fail_after": 5}),
    )
]


@dataclass(slots=True)
class Mesh:
    """What runs, and where the edge's figures are."""

    up: Up
    admin_port: int

    def person(self, name: str, password: str) -> Client:
        """A client of somebody who has an account."""
        return Client.connect(self.up.told["address"], Password(name, password))

    def servers(self) -> dict[str, psutil.Process]:
        """The servers that run, by their names."""
        found = {}
        for each in self.up.servers():
            command = each.cmdline()
            folder = Path(command[command.index("--data-dir") + 1])
            found["server-1" if folder == self.up.folder else f"server-{folder.name}"] = each
        return found

    def redis(self) -> psutil.Process:
        """The Redis of this mesh."""
        children = psutil.Process(self.up.process.pid).children()
        [found] = [each for each in children if "valkey" in "".join(each.cmdline()[:1])]
        return found

    async def targets(self) -> dict[str, str]:
        """Where figures are now; a server that is just starting has none."""
        found = {"edge": f"127.0.0.1:{self.admin_port}"}
        for name, server in self.servers().items():
            for port in _listening(server):
                if await _has_figures(port):
                    found[name] = f"127.0.0.1:{port}"
        return found


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[Mesh]:
    """Run it for the time of the block."""
    admin_port = free_port()
    mesh, models = json.dumps({"admin_port": admin_port}), json.dumps(MODELS)
    options = ("--model", "scripted/small", "--log-level", "warning")
    await asyncio.to_thread(home.mkdir, parents=True)
    async with running_up(home, REPLICAS, *options, MESH=mesh, MODELS=models) as up:
        yield Mesh(up, admin_port)


def _listening(process: psutil.Process) -> list[int]:
    try:
        connections = process.net_connections("tcp")
    except psutil.Error:
        return []
    return [each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN]


async def _has_figures(port: int) -> bool:
    timeout = aiohttp.ClientTimeout(2)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://127.0.0.1:{port}/metrics") as answer,
        ):
            return answer.ok
    except (TimeoutError, aiohttp.ClientError):
        return False
