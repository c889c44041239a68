"""docs/guides/context.md, done as it says."""

import asyncio
from pathlib import Path

from tests.cli.conftest import Home
from tests.e2e.followed import Followed
from tests.e2e.readme import commands, prints, run, transcript
from tests.e2e.until import PATIENCE_S
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "context.md"


async def test_it_is_as_it_says(home: Home, tmp_path: Path) -> None:
    """What no longer fits is recalled, and what is known besides told, and the command says so."""
    port = free_port()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    variables = {**home.environment, **ports, "PATH": PATH}
    typing = {**home.environment, "PATH": PATH}
    blocks = ("fill", "ask", "beside", "summaries")
    told = [it for name in blocks for it in transcript(name, GUIDE)]
    block = commands("settings", GUIDE)
    async with Followed(block, variables, tmp_path / "server.log", home.path, port):
        typed = [f"cd {tmp_path}", *(command for command, _ in told)]
        ran = (await asyncio.to_thread(run, typed, typing, 3 * PATIENCE_S))[1:]
    pairs = zip(told, ran, strict=True)
    assert [(output, it) for (_, output), it in pairs if not prints(it, output)] == []
