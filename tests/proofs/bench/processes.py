"""Processes under measurement: started, found ready, weighed, ended."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).parents[3]
READY_S = 120.0  # on a machine that is busy
STOP_S = 20.0
POLL_S = 0.004


def family(pid: int) -> list[psutil.Process]:
    """A process and those it has started."""
    head = psutil.Process(pid)
    return [head, *head.children(recursive=True)]


def used_s(pid: int) -> float:
    """Processor time that a process and those it has started have used, in seconds."""
    used = [process.cpu_times() for process in family(pid)]
    return float(sum(times.user + times.system for times in used))


class DidNotStart(Exception):
    """A process ended, or did not serve in time; the message holds what it printed."""


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without settings of the server, and with ``extra``."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANTIPHON_")}
    return kept | {"PYTHONUNBUFFERED": "1", **(extra or {})}


class Server:
    """A gRPC server in a process of its own, on ``127.0.0.1:port``."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.port = port
        self._process = process
        self._log = log

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def target(self) -> dict[str, Any]:
        """What a load is told about it."""
        return {"address": self.address, "pid": self.pid}

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def resident_bytes(self) -> int:
        """Its resident memory now, with its processes'."""
        return sum(process.memory_info().rss for process in family(self.pid))

    @property
    def cpu_s(self) -> float:
        """Processor time that it has used, with its processes, in seconds."""
        return used_s(self.pid)

    async def serving(self) -> None:
        """Wait for health to say SERVING. Raises DidNotStart."""
        try:
            async with asyncio.timeout(READY_S):
                while not await self._serves():
                    if self._process.returncode is not None:
                        raise DidNotStart(self._log.read_text()[-2000:])
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise DidNotStart(self._log.read_text()[-2000:]) from None

    async def _serves(self) -> bool:
        try:  # a refused TCP connection is cheaper to find out than gRPC's
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        async with grpc.aio.insecure_channel(self.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
            except grpc.aio.AioRpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Ask it to end, and make it end."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_S)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


@asynccontextmanager
async def launched(
    module: str,
    *arguments: str,
    log: Path,
    extra: Mapping[str, str] | None = None,
    port: int = 0,
) -> AsyncIterator[Server]:
    """Run ``python -m module …`` for the block's time; not ready when it begins.

    It is told a free ``--port`` unless ``port`` says where it listens anyway.
    """
    picked = port or free_port()
    told = () if port else ("--port", str(picked))
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments, *told),
            cwd=ROOT,
            env=environment(extra),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    server = Server(process, picked, log)
    try:
        yield server
    finally:
        await server.stop()


@dataclass(frozen=True, slots=True)
class Printed:
    """A process that says in its first line where it is."""

    line: str
    pid: int


@asynccontextmanager
async def printed(module: str, *arguments: str) -> AsyncIterator[Printed]:
    """Run ``python -m module …`` for the block's time; it is ready when the block begins."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # clients that leave at a window's end
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_S)
        yield Printed(line.decode().strip(), process.pid)
    finally:
        process.terminate()
        await process.wait()
