"""``antiphon mesh`` in a process of its own, with its Envoy, on ports that stay."""

import asyncio
import json
import signal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from tests.bench.processes import ROOT, environment, free_port
from tests.e2e.server import COMMAND, STOP_S

OPEN_S = 60.0


class ControlPlane:
    """The registry, and the edge; an async context manager.

    ``variables`` are what servers need to be known there. The edge opens when a server with
    auth is.
    """

    def __init__(self, home: Path, secret: str, **mesh: Any) -> None:
        self.log = home / "mesh.log"
        self._folder = home / "mesh"
        self._secret = secret
        self._ports = {
            name: free_port() for name in ("port", "ads_port", "inside_port", "edge_port")
        }
        self._mesh = mesh
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
        """Begin a life."""
        self._folder.mkdir(parents=True, exist_ok=True)
        variables = {
            "ANTIPHON_MESH": json.dumps(self._ports | self._mesh),
            "ANTIPHON_SECRET_KEY": self._secret,
            "ANTIPHON_LOG_FORMAT": "json",
            "ANTIPHON_DRAIN_GRACE_S": "1",
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

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        print(f"--- {self.log.name}:\n{self.log.read_text(errors='replace')[-6000:]}")
