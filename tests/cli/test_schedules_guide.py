"""docs/guides/schedules.md, done as it says."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from tests.cli.conftest import Home
from tests.e2e.followed import Followed
from tests.e2e.readme import Ran, commands, prints, run, transcript
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "schedules.md"
_MARKS = ("once", "again", "runs", "new", "archived")


async def test_a_user_works_through_it(home: Home, tmp_path: Path) -> None:
    """Each command prints what it says."""
    port = free_port()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    variables = {**home.environment, "PATH": PATH}
    server = Followed(
        commands("settings", GUIDE), {**variables, **ports}, tmp_path / "log", home.path, port
    )
    async with server:
        begin = [f"cd {tmp_path}", *commands("begin", GUIDE), "echo $CONVERSATION"]
        found = (await asyncio.to_thread(run, begin, variables))[-1].output
        again = [f"cd {tmp_path}", f"export CONVERSATION={found}"]
        wrong = [it for mark in _MARKS for it in await _follow(mark, again, variables)]
    assert wrong == []


async def _follow(
    mark: str, again: list[str], variables: Mapping[str, str]
) -> list[tuple[Ran, str]]:
    """Type a block, in a shell that knows the conversation; what isn't as it says."""
    told = transcript(mark, GUIDE)
    block = [*again, *(command for command, _ in told)]
    ran = (await asyncio.to_thread(run, block, variables))[-len(told) :]
    return [
        (it, output)
        for it, (_, output) in zip(ran, told, strict=True)
        if not prints(it, output) or it.exit_code
    ]
