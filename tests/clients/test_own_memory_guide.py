"""docs/guides/own-memory.md, typed in as it stands."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Home
from tests.e2e.followed import Followed
from tests.e2e.readme import commands, prints, run, transcript
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "own-memory.md"
FOLDER = Path("clients", "examples", "python")


class Reader:
    """Somebody who types what stands there, in a checkout, with ports of their own."""

    def __init__(self, checkout: Path) -> None:
        self.checkout, self.home = checkout, Home(checkout / "home")
        self.home.path.mkdir()
        self.port, self.asked = free_port(), free_port()
        self.variables = {**self.home.environment, "PATH": PATH}

    async def follow(self, mark: str) -> None:
        """Type a block, and compare what it prints."""
        told = [(self._here(it), out) for it, out in transcript(mark, GUIDE)]
        block = [f"cd {self.checkout}", *(command for command, _ in told)]
        ran = (await asyncio.to_thread(run, block, self.variables))[-len(told) :]
        assert [
            (it, out) for (_, out), it in zip(told, ran, strict=True) if not prints(it, out)
        ] == []

    @asynccontextmanager
    async def served(self, mark: str) -> AsyncIterator[None]:
        """The server, as the block begins it."""
        ports = {"ANTIPHON_PORT": str(self.port), "ANTIPHON_ADMIN_PORT": "0"}
        block = [f"cd {self.checkout}", *map(self._here, commands(mark, GUIDE))]
        log = self.checkout / "server.log"
        variables = {**self.variables, **ports}
        async with Followed(block, variables, log, self.checkout, self.port):
            yield

    @asynccontextmanager
    async def beside(self, mark: str, more: Mapping[str, str]) -> AsyncIterator[None]:
        """The memory, as the block begins it."""
        variables = {**self.variables, **more, "PORT": str(self.asked)}
        block, log = list(map(self._here, commands(mark, GUIDE))), self.checkout / "memory.log"
        async with Followed(block, variables, log, self.checkout, self.asked, is_server=False):
            yield

    def _here(self, command: str) -> str:
        """As it is typed where the environment is the tests' own, ports others, machines busy."""
        command = command.replace('"archive"}\'', '"archive", "deadline_ms": 5000}\'')
        command = command.replace('"deadline_ms": 2000', '"deadline_ms": 5000')
        for port in ("50052", "50053"):
            command = command.replace(port, str(self.asked))
        return command.replace("uv run ", "")


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """In a checkout of what the guide needs."""
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    (tmp_path / FOLDER).mkdir(parents=True)
    for name in ("memory.py", "mem0_like.py"):
        shutil.copy(ROOT / FOLDER / name, tmp_path / FOLDER)
    return Reader(tmp_path)


async def test_by_the_contract_it_is_told_asked_and_missed(reader: Reader) -> None:
    """It finds what the index does not; while it is down the index answers alone, and says so."""
    async with reader.served("settings"):
        async with reader.beside("python", {}):
            await reader.follow("asked")
        await reader.follow("away")


async def test_by_http_it_is_told_and_asked(reader: Reader) -> None:
    async with reader.beside("http", {}), reader.served("http-settings"):
        await reader.follow("http-asked")
