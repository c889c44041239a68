"""docs/guides/outages.md from an installed wheel, to the letter: each command prints what it says.

Whoever follows it has a home of their own, and nothing of this tree.
"""

import asyncio
import os
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Home
from tests.e2e import readme
from tests.e2e.followed import Followed
from tests.e2e.process import all_of
from tests.installed.conftest import Install
from tests.installed.environments import Installed
from tests.proofs.bench.processes import ROOT, environment, free_port

GUIDE = ROOT / "docs" / "guides" / "outages.md"
MARKS = ("well", "down", "open", "told", "back", "hand", "busy", "hangs", "all")
PORTS = ("7450", "7451", "9100")
NOBODY_ANSWERS = "first/model can't answer either"
LONGEST_S = 300.0


class Reader:
    """Whoever follows the guide: their folder and their shell, on ports that are free here."""

    def __init__(self, installed: Installed, home: Path) -> None:
        self.folder = home / "provider"
        self.folder.mkdir(parents=True)
        self._ports = {port: str(free_port()) for port in PORTS}
        path = os.pathsep.join([str(installed.folder / "bin"), os.environ["PATH"]])
        ports = {"ANTIPHON_PORT": self.port("7450"), "ANTIPHON_ADMIN_PORT": self.port("7451")}
        self.variables = environment({**Home(home).environment, **ports, "PATH": path})

    def port(self, told: str) -> str:
        """The one that is used here instead of the guide's."""
        return self._ports[told]

    def here(self, text: str) -> str:
        """The guide's words with this machine's ports."""
        for told, port in self._ports.items():
            text = text.replace(f"127.0.0.1:{told}", f"127.0.0.1:{port}")
            text = text.replace(f'"127.0.0.1", {told}', f'"127.0.0.1", {port}')
        return text

    def begin(self, mark: str, port: str, *, is_server: bool) -> Followed:
        """What goes on in a terminal of its own."""
        block = list(map(self.here, readme.commands(mark, GUIDE)))
        log, here = self.folder.parent / f"{port}.log", int(self.port(port))
        return Followed(block, self.variables, log, self.folder, here, is_server=is_server)

    def follow(self, mark: str) -> list[tuple[readme.Ran, str]]:
        """Type a block's commands; each with what the guide says that it prints."""
        told = readme.transcript(mark, GUIDE)
        block = [f"cd {self.folder}", *(self.here(command) for command, _ in told)]
        ran = readme.run(block, self.variables, LONGEST_S)[1:]
        return list(zip(ran, (self.here(output) for _, output in told), strict=True))


@pytest.mark.needs("curl")
async def test_it_is_followed_to_the_letter(installed: Install, tmp_path: Path) -> None:
    """A provider goes, comes back, has too much to do and hangs; what fails is meant to."""
    reader = Reader(installed(""), tmp_path)
    found = re.search(
        r"^```python provider\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    (reader.folder / "provider.py").write_text(reader.here(found[1]))
    provider = reader.begin("provider", "9100", is_server=False)
    server = reader.begin("settings", "7450", is_server=True)
    wrong = []
    async with all_of([provider, server]):
        for mark in MARKS:
            for ran, told in await asyncio.to_thread(reader.follow, mark):
                fails = NOBODY_ANSWERS in told or "doctor" in ran.command
                if not readme.prints(ran, told) or (ran.exit_code != 0) is not fails:
                    wrong.append((mark, ran, told))
    assert wrong == []
