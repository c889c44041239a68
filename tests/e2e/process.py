"""A process that can be ended, killed, and started again where it was."""

import asyncio
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from antiphon_client import Tls
from antiphon_client.address import open_channel
from tests.forkserver.program import Program
from tests.proofs.bench.processes import ROOT, DidNotStart, environment

READY_S = 90.0
STOP_S = 20.0
LOOK_S = 0.02
SHOWN = 6000
COMMAND = (sys.executable, "-m", "antiphon_server")
HOST = "127.0.0.1"
_DEFECT = re.compile(r'"level": ?"(?:error|critical)"|Traceback \(most recent call last\)')


class OwnProcess:
    """One command over any number of lives; what ``serves`` says is to be said by its kinds.

    An async context manager: it serves when the block begins. ``log`` holds what all
    lives have printed, ``deaths`` when each was told to end and when it had (seconds of the
    monotonic clock); ``variables`` are those of its next life.
    """

    forked = True
    """Whether ``antiphon``'s own command is begun by fork, where that is the same."""
    shown = True
    """Whether its output is printed at the end, which pytest shows where a test failed."""
    look_s = LOOK_S
    """How often it is looked at while it starts."""

    def __init__(
        self, command: Sequence[str], variables: Mapping[str, str], log: Path, cwd: Path = ROOT
    ) -> None:
        self.log = log
        self._cwd = cwd
        self.deaths: list[tuple[float, float]] = []
        self._command = command
        self.variables = dict(variables)
        self._process: asyncio.subprocess.Process | Program | None = None

    async def serves(self) -> bool:
        """Whether it does what it was started for."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def resident_bytes(self) -> int:
        """Its resident memory now."""
        size: int = psutil.Process(self.pid).memory_info().rss
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

    async def start(self) -> None:
        """Begin a life, and wait until it serves. Raises DidNotStart."""
        process = await self.spawn()
        try:
            async with asyncio.timeout(READY_S):
                while not await self.serves():
                    if process.returncode is not None:
                        raise DidNotStart(self.output)
                    await asyncio.sleep(self.look_s)
        except TimeoutError:
            raise DidNotStart(f"not within {READY_S:g} s; {self.output}") from None

    async def spawn(self) -> asyncio.subprocess.Process | Program:
        """Begin a life, whatever comes of it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command, variables = self._command, self.variables
        self._process = await begun(command, variables, self.log, self._cwd, forked=self.forked)
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

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()
        if self.shown:
            print(f"--- {self.log.name}:\n{self.output}")

    async def _end(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        try:
            await self.terminate()
        except TimeoutError:
            await self.kill()


@asynccontextmanager
async def all_of(processes: Sequence[OwnProcess]) -> AsyncIterator[None]:
    """Processes side by side, for the block's time."""
    async with AsyncExitStack() as stack:
        await asyncio.gather(*map(stack.enter_async_context, processes))
        yield


async def begun(
    command: Sequence[str],
    variables: Mapping[str, str],
    log: Path,
    cwd: Path = ROOT,
    *,
    forked: bool = True,
) -> asyncio.subprocess.Process | Program:
    """A process of a command; what it says is in the log.

    It is forked where it is ``antiphon``'s, as it is in this checkout, unless that is not wanted.
    """
    here = cwd == ROOT and "PYTHONPATH" not in variables
    with log.open("ab") as output:
        if forked and here and tuple(command[: len(COMMAND)]) == COMMAND:
            return await asyncio.to_thread(
                Program, command[len(COMMAND) :], environment(variables), output, output
            )
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=environment(variables),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


async def healthy(address: str, tls: Tls | None = None) -> bool:
    """Whether a server's health says SERVING."""
    if not await listens(int(address.rpartition(":")[2])):
        return False
    async with open_channel(address, tls) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def listens(port: int) -> bool:
    """Whether anybody does on this machine: cheaper to find out than whether gRPC is answered."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True
