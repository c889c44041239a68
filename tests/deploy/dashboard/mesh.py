"""`antiphon up --mesh --replicas 2` as a process, and where each part's figures are."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from antiphon_client import ApiKey, Client, Password
from tests.e2e.process import COMMAND
from tests.proofs.bench.processes import ROOT, environment, free_port

UP_S = 120.0
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
    """What runs."""

    process: asyncio.subprocess.Process
    folder: Path
    admin_port: int

    @property
    def address(self) -> str:
        """Where clients call."""
        return str(json.loads((self.folder / "server.json").read_text())["address"])

    def operator(self) -> Client:
        """The local operator's client."""
        key = (self.folder / "operator.key").read_text().strip()
        return Client.connect(self.address, ApiKey(key))

    def person(self, name: str, password: str) -> Client:
        """A client of somebody who has an account."""
        return Client.connect(self.address, Password(name, password))

    def servers(self) -> dict[str, psutil.Process]:
        """The servers that run, by their names."""
        found = {}
        for each in psutil.Process(self.process.pid).children():
            command = _command(each)
            if "antiphon_server" in command:
                folder = Path(command[command.index("--data-dir") + 1])
                found["server-1" if folder == self.folder else f"server-{folder.name}"] = each
        return found

    def redis(self) -> psutil.Process:
        """The Redis of this mesh."""
        children = psutil.Process(self.process.pid).children()
        [found] = [each for each in children if "valkey" in "".join(_command(each)[:1])]
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
async def up(home: Path) -> AsyncIterator[Mesh]:
    """Run it for the time of the block."""
    folder, admin_port = home / "data", free_port()
    variables = {
        "ANTIPHON_MESH": json.dumps({"admin_port": admin_port}),
        "ANTIPHON_MODELS": json.dumps(MODELS),
    }
    await asyncio.to_thread(home.mkdir, parents=True)
    with (home / "up.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "up", "--mesh", "--replicas", str(REPLICAS), "--port", "0"),
            *("--data-dir", str(folder), "--model", "scripted/small", "--log-level", "warning"),
            cwd=ROOT,
            env=environment(variables),
            stdout=log,
            stderr=log,
        )
    try:
        async with asyncio.timeout(UP_S):
            while not (folder / "server.json").exists():
                assert process.returncode is None, (home / "up.log").read_text()
                await asyncio.sleep(0.1)
        yield Mesh(process, folder, admin_port)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(UP_S):
            await process.wait()


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


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
