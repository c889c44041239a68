"""The examples' memories of others as processes of their own, killed, stopped and asked."""

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from tests.e2e.until import PATIENCE_S, until
from tests.proofs.bench.processes import ROOT, environment, free_port

EXAMPLES = ROOT / "clients" / "examples" / "python"


class External:
    """One example, ``name``, over any number of lives on one port; ``folder`` is where it keeps."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder, self.port = name, folder, free_port()
        self.file = folder / "archive.db"
        self.variables: dict[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Begin a life."""
        variables = {"PORT": str(self.port), "ARCHIVE": str(self.file), **self.variables}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(EXAMPLES / self.name), env=environment(variables), cwd=self.folder
        )
        await until(self._listens, PATIENCE_S)

    def send(self, signal_: signal.Signals) -> None:
        """Stop it, or let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal_)

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def kept(self) -> dict[str, str]:
        """What it has of each memory that says something, in its file."""
        with closing(sqlite3.connect(self.file)) as store:
            rows = store.execute("SELECT memory_id, text FROM memories WHERE text IS NOT NULL")
            return dict(rows.fetchall())

    def _listens(self) -> bool:
        with closing(socket.socket()) as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0


@asynccontextmanager
async def running(name: str, folder: Path) -> AsyncIterator[External]:
    """It, from its first life on."""
    external = External(name, folder)
    try:
        await external.start()
        yield external
    finally:
        await external.kill()


def descriptors(folder: Path) -> str:
    """The file of the contract's descriptors."""
    from google.protobuf import descriptor_pb2

    from antiphon.memory.v1 import external_memory_service_pb2

    files: dict[str, Any] = {}

    def add(file: Any) -> None:
        if file.name not in files:
            for each in file.dependencies:
                add(each)
            files[file.name] = file

    add(external_memory_service_pb2.DESCRIPTOR)
    known = descriptor_pb2.FileDescriptorSet()
    for each in files.values():
        each.CopyToProto(known.file.add())
    target = folder / "memory.binpb"
    target.write_bytes(known.SerializeToString())
    return str(target)
