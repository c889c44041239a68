"""Servers under measurement: begun as programs, found ready, weighed, ended."""

import sys
from pathlib import Path
from typing import Any

from tests.e2e.process import HOST, OwnProcess, healthy, listens
from tests.e2e.server import ServerProcess
from tests.proofs.bench.processes import family, free_port, used_s


class Measured(OwnProcess):
    """A gRPC server in a process of its own, on ``127.0.0.1:port``, not forked from another."""

    forked, shown, look_s = False, False, 0.004
    port: int

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{HOST}:{self.port}"

    @property
    def target(self) -> dict[str, Any]:
        """What a load is told about it."""
        return {"address": self.address, "pid": self.pid}

    @property
    def resident_bytes(self) -> int:
        """Its resident memory now, with its processes'."""
        return sum(process.memory_info().rss for process in family(self.pid))

    @property
    def cpu_s(self) -> float:
        """Processor time that it has used, with its processes, in seconds."""
        return used_s(self.pid)


class Floor(Measured):
    """A bare grpc.aio server that serves ``parts`` of tests/proofs/bench/floors.

    ``packages`` is a folder of some that the project does not have.
    """

    def __init__(self, home: Path, *parts: str, packages: str = "") -> None:
        self.port = free_port()
        command = (sys.executable, "-m", "tests.proofs.bench.floors", "--port", str(self.port))
        variables = {"PYTHONPATH": packages} if packages else {}
        super().__init__((*command, *parts), variables, home / "floor.log")

    async def serves(self) -> bool:
        """Whether its health says SERVING."""
        return await healthy(self.address)


class MeasuredServer(Measured, ServerProcess):
    """``antiphon`` itself."""

    async def serves(self) -> bool:
        """Whether it serves; of one that asks for certificates one can see that it listens."""
        if "ANTIPHON_TLS_CLIENT_CA" in self.variables:
            return await listens(self.port)
        return await super().serves()
