"""`antiphon up --mesh --replicas 2` with stores of its own: served, whatever replica dies."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from antiphon_client import ApiKey, Client
from tests.bench.processes import ROOT, environment
from tests.e2e.server import COMMAND

UP_S = 90.0
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(slots=True)
class Up:
    """The command that runs, and its data folder."""

    process: asyncio.subprocess.Process
    folder: Path
    log: Path

    def client(self) -> Client:
        """The operator, at the edge."""
        key = (self.folder / "operator.key").read_text().strip()
        return Client.connect(self.told["address"], ApiKey(key))

    @property
    def told(self) -> dict[str, Any]:
        """What other commands find it by."""
        found: dict[str, Any] = json.loads((self.folder / "server.json").read_text())
        return found

    def servers(self) -> list[psutil.Process]:
        """The servers' processes."""
        children = psutil.Process(self.process.pid).children()
        return [each for each in children if "antiphon_server" in each.cmdline()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """Two replicas, for all tests of this file."""
    home = tmp_path_factory.mktemp("mesh")
    folder, log = home / "data", home / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "up", "--mesh", "--replicas", "2", "--port", "0"),
            *("--data-dir", str(folder), "--model", "scripted/test"),
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


async def test_both_are_there(up: Up) -> None:
    """Two processes, known by what other commands look for."""
    assert len(up.servers()) == 2
    assert up.told["pid"] == up.process.pid


async def test_a_replica_dies(up: Up) -> None:
    """Calls go on at the other, and it is started again."""
    async with up.client() as client:
        conversation = (await client.create_conversation("whoever answers")).conversation_id
        before = up.servers()
        before[0].kill()
        began = time.monotonic()
        for number in range(40):
            await client.post_message(conversation, f"number {number}")
            await asyncio.sleep(0.05)
        stored = [one async for one in client.list_messages(conversation)]
        assert len(stored) == 40
        async with asyncio.timeout(UP_S):
            while len(up.servers()) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    print(f"two again after {time.monotonic() - began:.1f} s")
    assert {each.pid for each in up.servers()} != {each.pid for each in before}
