"""`antiphon up --mesh` as a process, and what is found of it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from antiphon.mesh.v1.instance_pb2 import Instance
from antiphon.mesh.v1.registry_service_pb2 import ListInstancesRequest
from antiphon.mesh.v1.registry_service_pb2_grpc import RegistryServiceStub
from antiphon_client import ApiKey, Client, Tls
from tests.e2e.process import COMMAND, begun
from tests.e2e.until import PATIENCE_S
from tests.forkserver.program import Program
from tests.proofs.bench.processes import ROOT

LOOK_S = 0.05


@dataclass(slots=True)
class Up:
    """The command that runs, and its data folder."""

    process: asyncio.subprocess.Process | Program
    folder: Path
    log: Path

    @property
    def key(self) -> str:
        """The operator's key."""
        return (self.folder / "operator.key").read_text().strip()

    def client(self, tls: Tls | None = None) -> Client:
        """The operator, at the edge."""
        return Client.connect(self.told["address"], ApiKey(self.key), tls=tls)

    @property
    def told(self) -> dict[str, Any]:
        """What other commands find it by."""
        found: dict[str, Any] = json.loads((self.folder / "server.json").read_text())
        return found

    def servers(self) -> list[psutil.Process]:
        """The servers' processes."""
        children = psutil.Process(self.process.pid).children()
        return [each for each in children if "antiphon_server" in each.cmdline()]

    async def kill_where_streams_are(self) -> None:
        """Kill the server that has the most streams of events, as soon as one has any."""
        (await self.where_streams_are()).kill()

    async def where_streams_are(self) -> psutil.Process:
        """The server that has the most streams of events, as soon as one has any."""
        async with self.client() as client, asyncio.timeout(PATIENCE_S):
            while True:
                found = await _instances(client, "events")
                busiest = max(found, key=lambda each: each.load.running_rpcs)
                if busiest.load.running_rpcs:
                    break
                await asyncio.sleep(LOOK_S)
        return self._listening(busiest.port)

    async def until_nobody_streams(self) -> None:
        """Return when no server reports a stream: one that ended may be in its last report yet."""
        async with self.client() as client, asyncio.timeout(PATIENCE_S):
            while any(  # noqa: ASYNC110
                each.load.running_rpcs for each in await _instances(client, "events")
            ):
                await asyncio.sleep(LOOK_S)

    async def until_whole(self, count: int = 2) -> None:
        """Return when so many servers are registered."""
        async with self.client() as client, asyncio.timeout(PATIENCE_S):
            while True:
                there = len(self.servers()), len(await _instances(client, "auth"))
                if there == (count, count):
                    return
                await asyncio.sleep(LOOK_S)

    def _listening(self, port: int) -> psutil.Process:
        for server in self.servers():
            if any(each.laddr.port == port for each in server.net_connections()):
                return server
        raise AssertionError(f"no server listens on {port}")


async def _instances(client: Client, service: str) -> list[Instance]:
    """Where a service is registered, as an operator is told."""
    metadata = (("authorization", f"Bearer {await client.tokens.get()}"),)
    request = ListInstancesRequest()
    found = await RegistryServiceStub(client.channel).ListInstances(request, metadata=metadata)
    return [each for each in found.instances if each.service == service]


@asynccontextmanager
async def running_up(
    home: Path,
    replicas: int,
    *options: str,
    command: Sequence[str] = COMMAND,
    cwd: Path = ROOT,
    **variables: str,
) -> AsyncIterator[Up]:
    """The command with further options and settings, from when it says that it serves."""
    settings = {f"ANTIPHON_{name}": value for name, value in variables.items()}
    folder, log = home / "data", home / "log"
    words = (*command, "up", "--mesh", "--replicas", str(replicas), "--port", "0")
    told = ("--data-dir", str(folder), "--model", "scripted/test", *options)
    process = await begun((*words, *told), settings, log, cwd)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (folder / "server.json").exists():
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(LOOK_S)
        yield Up(process, folder, log)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            code = await process.wait()
        print(log.read_text())
    assert code == 0
