"""``antiphon mesh`` in a process of its own, and an Envoy that it tells, on ports that stay."""

import asyncio
import json
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc

from antiphon_server.mesh.compose import edge_of_mesh
from antiphon_server.mesh.envoy.process import Envoy
from antiphon_server.mesh.model import Address, Edge
from tests.bench.processes import ROOT, environment, free_port
from tests.e2e.server import COMMAND, STOP_S

OPEN_S = 60.0
HOST = "127.0.0.1"


class ControlPlane:
    """The registry, and an edge; an async context manager.

    ``variables`` are what servers need to be known there. The edge opens when a server with
    auth is. It lives on when the rest is restarted. It has its port for itself, so that it can't be
    replaced without a moment in which nobody listens: that takes two edges.
    """

    def __init__(self, home: Path, secret: str) -> None:
        self.log = home / "mesh.log"
        self._folder = home / "mesh"
        self._secret = secret
        self._ports = {
            name: free_port() for name in ("port", "ads_port", "inside_port", "edge_port")
        }
        self._envoy_log = home / "envoy.log"
        self._envoy: Envoy | None = None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def edge_port(self) -> int:
        """Where clients call."""
        return self._ports["edge_port"]

    @property
    def inside(self) -> str:
        """Where services call each other."""
        return f"127.0.0.1:{self._ports['inside_port']}"

    @property
    def variables(self) -> dict[str, str]:
        """Those of its servers."""
        return {
            "ANTIPHON_REGISTRY": f"127.0.0.1:{self._ports['port']}",
            "ANTIPHON_SECRET_KEY": self._secret,
            "ANTIPHON_BEHIND_PROXY": "true",
        }

    async def start(self) -> None:
        """Begin a life, and wait until it serves. Raises TimeoutError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        variables = {
            "ANTIPHON_MESH": json.dumps(self._ports | {"envoy": False}),
            "ANTIPHON_SECRET_KEY": self._secret,
            "ANTIPHON_LOG_FORMAT": "json",
            "ANTIPHON_PEERS": json.dumps({"auth": self.inside}),
        }
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(*COMMAND, "mesh", "--data-dir", str(self._folder)),
                *("--log-level", "warning"),
                cwd=ROOT,
                env=environment(variables),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

        async with asyncio.timeout(OPEN_S):
            while not all([await _listens(self._ports[name]) for name in ("port", "ads_port")]):
                assert self._process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)

    async def until_open(self) -> None:
        """Return when the edge takes calls. Raises TimeoutError."""
        async with (
            asyncio.timeout(OPEN_S),
            grpc.aio.insecure_channel(f"127.0.0.1:{self.edge_port}") as channel,
        ):
            await channel.channel_ready()

    async def stop(self) -> int:
        """End it; returns its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), STOP_S)

    async def restart(self) -> None:
        """End the control plane's life, and begin the next one."""
        if code := await self.stop():
            raise AssertionError(f"the control plane ended with {code}")
        await self.start()

    async def _start_edge(self) -> None:
        ads = Address(HOST, self._ports["ads_port"])
        self._envoy = edge_of_mesh(ads, Edge(Address(HOST, self.edge_port)), self._envoy_log)
        await self._envoy.start()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
            await self._start_edge()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()
        print(f"--- {self.log.name}:\n{self.log.read_text(errors='replace')[-6000:]}")

    async def _end(self) -> None:
        if self._envoy is not None:
            await self._envoy.stop()
        await self.stop()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True
