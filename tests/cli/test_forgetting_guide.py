"""docs/guides/forgetting.md, done as it says."""

import asyncio
from pathlib import Path

from tests.cli.conftest import Home
from tests.e2e.followed import Followed
from tests.e2e.readme import Ran, commands, prints, run, transcript
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "forgetting.md"
MARKS = ("say", "erase", "nowhere", "conversation", "workspace", "person", "backups")


async def test_what_was_said_is_forgotten(home: Home, tmp_path: Path) -> None:
    """Each command prints what it says, one after the other in one shell."""
    port = free_port()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    mine = {**home.environment, "PATH": PATH}
    server, log = commands("settings", GUIDE), tmp_path / "server.log"
    told = [each for mark in MARKS for each in transcript(mark, GUIDE)]
    async with Followed(server, {**mine, **ports}, log, home.path, port):
        block = [f"cd {tmp_path}", *(command for command, _ in told)]
        ran = (await asyncio.to_thread(run, block, mine))[1:]
    wrong: list[tuple[Ran, str]] = []
    for (_, output), it in zip(told, ran, strict=True):
        if not prints(it, output) or it.exit_code:
            wrong.append((it, output))
    assert wrong == []
