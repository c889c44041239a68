"""docs/guides/own-filter.md in each of its languages, typed in as it stands."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import Home
from tests.clients.conftest import BUILDING
from tests.clients.examples import BUILD_S
from tests.e2e.followed import Followed
from tests.e2e.readme import commands, prints, run, transcript
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "own-filter.md"
EXAMPLES = Path("clients", "examples")


@dataclass(frozen=True, slots=True)
class Language:
    """A folder of the examples, and what of it the filter is and needs."""

    folder: str
    has: Sequence[str]


PYTHON = Language("python", ["filter.py"])
NODE = Language("node", ["package.json", "filter.js"])
GO = Language("go", ["go.mod", "go.sum", "buf.gen.yaml", "filter/main.go"])


class Reader:
    """Somebody who types what stands there, in a checkout; the filter is on a port of their own."""

    def __init__(self, checkout: Path, variables: dict[str, str], port: int) -> None:
        self.checkout, self.variables, self.port = checkout, variables, port
        self._begins = [f"cd {checkout}"]

    async def follow(self, mark: str, *, fails: bool = False) -> None:
        """Type a block, and compare what it prints."""
        told = [(_here(it, self.port), out) for it, out in transcript(mark, GUIDE)]
        block = [*self._begins, *(command for command, _ in told)]
        ran = (await asyncio.to_thread(run, block, self.variables))[-len(told) :]
        wrong = [
            (it, out)
            for (_, out), it in zip(told, ran, strict=True)
            if not prints(it, out) or bool(it.exit_code) != fails
        ]
        assert not wrong
        self._begins += [it for it, _ in told if it.startswith("export ")]


def checkout(home: Path, language: Language) -> Path:
    """What the guide needs of one."""
    shutil.copytree(ROOT / "proto", home / "proto")
    shutil.copy(ROOT / "buf.yaml", home)
    for name in language.has:
        file = EXAMPLES / language.folder / name
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, home / file)
    return home


def _here(command: str, port: int) -> str:
    """As it is typed where the environment is the tests' own, and the port another one."""
    return command.replace("uv run ", "").replace("50051", str(port))


@BUILDING
@pytest.mark.parametrize(
    "language",
    [
        pytest.param(PYTHON, id="python"),
        pytest.param(NODE, marks=pytest.mark.needs("npm"), id="node"),
        pytest.param(GO, marks=pytest.mark.needs("go"), id="go"),
    ],
)
async def test_a_filter_in_another_language_is_asked(tmp_path: Path, language: Language) -> None:
    """What it finds is cut out; while it is down all is refused, or passes and is told of."""
    there = checkout(tmp_path, language)
    port, asked, home = free_port(), free_port(), Home(there / "home")
    home.path.mkdir()
    mine = {**home.environment, "PATH": PATH}
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    reader = Reader(there, mine, asked)
    *prepares, begins = (_here(it, asked) for it in commands(language.folder, GUIDE))
    prepared = await asyncio.to_thread(run, [f"cd {there}", *prepares], mine, BUILD_S)
    assert [it for it in prepared if it.exit_code] == []
    server, log = commands("settings", GUIDE), there / "server.log"
    async with Followed(server, {**mine, **ports}, log, home.path, port):
        block, told = [prepares[0], begins], there / "filter.log"
        variables = {**mine, "PORT": str(asked)}
        async with Followed(block, variables, told, there, asked, is_server=False):
            await reader.follow("connect")
        await reader.follow("closed", fails=True)
        await reader.follow("open")
