"""A real server, in a process that can be killed and started again where it was."""

import asyncio
import json
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from antiphon_client import ApiKey, Client, Tls
from antiphon_client.address import open_channel
from tests.bench.processes import ROOT, DidNotStart, environment, free_port

READY_S = 90.0
STOP_S = 20.0
SHOWN = 6000
COMMAND = (sys.executable, "-m", "antiphon_server")
_DEFECT = re.compile(r'"level": ?"(?:error|critical)"|Traceback \(most recent call last\)')


def openai_model(name: str, base_url: str, **more: Any) -> dict[str, Any]:
    """Settings of a model on the OpenAI wire: the provider is told the name's second part."""
    return {"name": name, "kind": "openai", "base_url": base_url, **more}


class ServerProcess:
    """``antiphon up`` on one port and one data directory, over any number of lives.

    An async context manager: it serves when the block begins. ``log`` holds what all
    lives have printed, ``deaths`` when each was told to end and when it had (seconds of the
    monotonic clock). ``command`` runs the command line's program in its place, under a
    tracer or with a defect, and ``verb`` is what it is told to do. ``tls`` is how clients trust
    it where the variables give it a certificate.
    """

    def __init__(
        self,
        home: Path,
        *,
        models: Sequence[Mapping[str, Any]] = (),
        model: str = "",
        variables: Mapping[str, str] | None = None,
        command: Sequence[str] = COMMAND,
        verb: Sequence[str] = ("up",),
        tls: Tls | None = None,
    ) -> None:
        self.port = free_port()
        self.data_dir = home / "data"
        self.log = home / "server.log"
        self._model = model or (str(models[0]["name"]) if models else "scripted/test")
        self._variables = {"ANTIPHON_MODELS": json.dumps(list(models)), **(variables or {})}
        self._command = (*command, *verb)
        self._tls = tls
        self.deaths: list[tuple[float, float]] = []
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{'https://' if self._tls else ''}127.0.0.1:{self.port}"

    @property
    def key(self) -> ApiKey:
        """The local operator's credential."""
        return ApiKey((self.data_dir / "operator.key").read_text().strip())

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def resident_bytes(self) -> int:
        """Its resident memory now."""
        assert self._process is not None
        size: int = psutil.Process(self._process.pid).memory_info().rss
        return size

    @property
    def exits(self) -> int:
        """1 if it has ended, which nobody but its owner should bring about."""
        return int(self._process is not None and self._process.returncode is not None)

    @property
    def output(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-SHOWN:]

    @property
    def defects(self) -> list[str]:
        """Errors and traces in what it printed: a server that is treated badly has none."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if _DEFECT.search(line)]

    def client(self, credentials: ApiKey | None = None) -> Client:
        """A client that speaks for the local operator."""
        return Client.connect(self.address, credentials or self.key, tls=self._tls)

    async def start(self) -> None:
        """Begin a life, and wait until it serves. Raises DidNotStart."""
        process = await self.spawn()
        try:
            async with asyncio.timeout(READY_S):
                while not await self._serves():
                    if process.returncode is not None:
                        raise DidNotStart(self.output)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise DidNotStart(self.output) from None

    async def spawn(self) -> asyncio.subprocess.Process:
        """Begin a life, whatever comes of it."""
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                *("--port", str(self.port), "--admin-port", "0", "--model", self._model),
                *(
                    "--data-dir",
                    str(self.data_dir),
                    "--log-level",
                    "warning",
                    "--log-format",
                    "json",
                ),
                cwd=ROOT,
                env=environment(self._variables),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return self._process

    async def kill(self) -> None:
        """End its life by SIGKILL."""
        assert self._process is not None
        began = time.monotonic()
        self._process.kill()
        await self._process.wait()
        self.deaths.append((began, time.monotonic()))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(number)

    async def restart(self) -> None:
        """End its life by SIGKILL and begin the next one."""
        await self.kill()
        await self.start()

    async def terminate(self) -> int:
        """Ask it to stop, and return its exit code. Raises TimeoutError."""
        assert self._process is not None
        began = time.monotonic()
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self._process.wait(), STOP_S)
        self.deaths.append((began, time.monotonic()))
        return code

    async def _serves(self) -> bool:
        async with open_channel(self.address, self._tls) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
            except grpc.aio.AioRpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
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
        print(f"--- {self.log.name}:\n{self.output}")  # shown by pytest where a test failed

    async def _end(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        try:
            await self.terminate()
        except TimeoutError:
            await self.kill()
