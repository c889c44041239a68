"""docs/guides/profile.md, done as it says."""

import asyncio
from pathlib import Path

from tests.cli.conftest import Home
from tests.e2e.followed import Followed
from tests.e2e.readme import commands, prints, run, transcript
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "profile.md"
_MARKS = ("set", "wrong", "workspace", "clear")
_REFUSED = {"wrong"}


async def test_a_user_works_through_it(home: Home, tmp_path: Path) -> None:
    """Each command prints what it says; what can't be is refused."""
    port = free_port()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    variables = {**home.environment, "PATH": PATH}
    server = Followed(
        commands("settings", GUIDE), {**variables, **ports}, tmp_path / "log", home.path, port
    )
    async with server:
        for mark in _MARKS:
            told = transcript(mark, GUIDE)
            ran = await asyncio.to_thread(run, [command for command, _ in told], variables)
            for it, (_, output) in zip(ran, told, strict=True):
                assert prints(it, output), (output, it.output)
                assert bool(it.exit_code) is (mark in _REFUSED)
