"""docs/guides/budgets.md, done as it says."""

from pathlib import Path

from tests.cli.conftest import Home
from tests.e2e.followed import Followed
from tests.e2e.readme import commands, prints, run, transcript
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "budgets.md"
MARKS = ("put", "key", "warned", "refused", "usage", "turn")
REFUSED = {
    "ANTIPHON_API_KEY=$SECRET antiphon budgets delete nightly",
    'antiphon chat --once "hello once more"',
    'ANTIPHON_API_KEY=$SECRET antiphon chat --once "hello too often"',
}


async def test_an_admin_works_through_it(home: Home, tmp_path: Path) -> None:
    """The server is started as it says; each command prints that, and what does not fit fails."""
    port, wrong = free_port(), []
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    variables = {**home.environment, **ports, "PATH": PATH}
    block = commands("settings", GUIDE)
    async with Followed(block, variables, tmp_path / "server.log", home.path, port):
        for mark in MARKS:
            told = transcript(mark, GUIDE)
            ran = run([command for command, _ in told], home.environment)
            for (command, output), it in zip(told, ran, strict=True):
                if not prints(it, output) or bool(it.exit_code) != (command in REFUSED):
                    wrong.append((it, output))
    assert wrong == []
