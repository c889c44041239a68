"""`antiphon up --mesh` as a process, and what is found of it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from antiphon_client import ApiKey, Client, Tls
from tests.bench.processes import ROOT, environment
from tests.e2e.server import COMMAND

UP_S = 90.0


@dataclass(slots=True)
class Up:
    """The command that runs, and its data folder."""

    process: asyncio.subprocess.Process
    folder: Path
    log: Path

    def client(self, tls: Tls | None = None) -> Client:
        """The operator, at the edge."""
        key = (self.folder / "operator.key").read_text().strip()
        return Client.connect(self.told["address"], ApiKey(key), tls=tls)

    @property
    def told(self) -> dict[str, Any]:
        """What other commands find it by."""
        found: dict[str, Any] = json.loads((self.folder / "server.json").read_text())
        return found

    def servers(self) -> list[psutil.Process]:
        """The servers' processes."""
        children = psutil.Process(self.process.pid).children()
        return [each for each in children if "antiphon_server" in each.cmdline()]


@asynccontextmanager
async def running_up(home: Path, replicas: int, *options: str) -> AsyncIterator[Up]:
    """The command with further options, from when it says that it serves to its end."""
    folder, log = home / "data", home / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "up", "--mesh", "--replicas", str(replicas), "--port", "0"),
            *("--data-dir", str(folder), "--model", "scripted/test", *options),
            cwd=ROOT,
            env=environment({}),
            stdout=output,
            stderr=output,
        )
    try:
        async with asyncio.timeout(UP_S):
            while not (folder / "server.json").exists():
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.05)
        yield Up(process, folder, log)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            code = await process.wait()
        print(log.read_text())
    assert code == 0
