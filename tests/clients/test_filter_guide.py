"""docs/guides/own-filter.md in each of its languages, typed in as it stands."""

import asyncio
import re
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
    """A folder of the examples, what of it the filter needs, and which file it is there."""

    folder: str
    has: Sequence[str]
    file: str
    fence: str

    @property
    def code(self) -> str:
        """As the guide has it."""
        found = re.search(rf"^```{self.fence} filter\n(.*?)^```", GUIDE.read_text(), re.S | re.M)
        assert found is not None
        return found[1]


NODE = Language("node", ["package.json"], "filter.js", "js")
GO = Language("go", ["go.mod", "go.sum", "buf.gen.yaml"], "filter/main.go", "go")


class Reader:
    """Somebody who types what stands there, in a checkout; the filter is on a port of their own."""

    def __init__(self, checkout: Path, variables: dict[str, str], port: int) -> None:
        self.checkout, self.variables, self.port = checkout, variables, port
        self._begins = [f"cd {checkout}"]

    async def follow(self, mark: str, *, fails: bool = False) -> None:
        """Type a block, and compare what it prints."""
        told = [(it.replace("50051", str(self.port)), out) for it, out in transcript(mark, GUIDE)]
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
    """What the guide needs of one, with the filter where it has it written."""
    shutil.copytree(ROOT / "proto", home / "proto")
    shutil.copy(ROOT / "buf.yaml", home)
    folder = home / EXAMPLES / language.folder
    file = folder / language.file
    file.parent.mkdir(parents=True)
    for name in language.has:
        shutil.copy(ROOT / EXAMPLES / language.folder / name, folder)
    file.write_text(language.code)
    return home


@BUILDING
@pytest.mark.parametrize(
    "language",
    [
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
    *prepares, begins = commands(language.folder, GUIDE)
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
