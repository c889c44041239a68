"""docs/guides/memory.md, done as it says."""

import asyncio
from pathlib import Path

from tests.cli.conftest import Home
from tests.e2e.followed import Followed
from tests.e2e.readme import commands, prints, run, transcript
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "memory.md"
LONGEST_S = 300.0
"""Some thirty commands, each a process of its own."""
_MARKS = ("put", "recall", "change", "about", "names", "prune", "forget")


async def test_a_user_works_through_it(home: Home, tmp_path: Path) -> None:
    """Each command, typed in one shell, prints what it says."""
    port = free_port()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    variables = {**home.environment, "PATH": PATH}
    server = Followed(
        commands("settings", GUIDE), {**variables, **ports}, tmp_path / "log", home.path, port
    )
    told = [it for mark in _MARKS for it in transcript(mark, GUIDE)]
    async with server:
        block = [command for command, _ in told]
        ran = await asyncio.to_thread(run, block, variables, LONGEST_S)
    wrong = [
        (it, output)
        for it, (_, output) in zip(ran, told, strict=True)
        if not prints(it, output) or it.exit_code
    ]
    assert wrong == []
