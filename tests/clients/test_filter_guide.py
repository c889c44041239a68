"""docs/guides/own-filter.md in Node.js, typed in as it stands."""

import asyncio
import re
import shutil
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
NODE = Path("clients", "examples", "node")


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


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the guide needs of one, with the filter where it has it written."""
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    (tmp_path / NODE).mkdir(parents=True)
    shutil.copy(ROOT / NODE / "package.json", tmp_path / NODE)
    found = re.search(r"^```js filter\n(.*?)^```", GUIDE.read_text(), re.S | re.M)
    assert found is not None
    (tmp_path / NODE / "filter.js").write_text(found[1])
    return tmp_path


@BUILDING
@pytest.mark.needs("npm")
async def test_a_filter_in_another_language_is_asked(checkout: Path) -> None:
    """What it finds is cut out; while it is down all is refused, or passes and is told of."""
    port, there, home = free_port(), free_port(), Home(checkout / "home")
    home.path.mkdir()
    mine = {**home.environment, "PATH": PATH}
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    reader = Reader(checkout, mine, there)
    *prepares, begins = commands("node", GUIDE)
    prepared = await asyncio.to_thread(run, [f"cd {checkout}", *prepares], mine, BUILD_S)
    assert [it for it in prepared if it.exit_code] == []
    server, log = commands("settings", GUIDE), checkout / "server.log"
    async with Followed(server, {**mine, **ports}, log, home.path, port):
        block, told = [prepares[0], begins], checkout / "filter.log"
        variables = {**mine, "PORT": str(there)}
        async with Followed(block, variables, told, checkout, there, is_server=False):
            await reader.follow("connect")
        await reader.follow("closed", fails=True)
        await reader.follow("open")
