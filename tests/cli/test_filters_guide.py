"""docs/guides/filters.md, done as it says."""

import asyncio
import re
from pathlib import Path

from antiphon.context.v1.filter_pb2 import Filter
from tests.cli.conftest import Home
from tests.e2e.followed import Followed
from tests.e2e.readme import Ran, commands, prints, run, transcript
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "filters.md"
MARKS = ("add", "try", "said", "screenings", "answers", "history", "hold")
REFUSED = (
    'antiphon chat --once "pay with 4111 1111 1111 1111"',
    'antiphon chat --once "what of project heron?"',
    "antiphon handoffs return ",
)


async def test_an_operator_works_through_it(home: Home, tmp_path: Path) -> None:
    """Each command prints what it says; what is blocked or held ends otherwise."""
    port, wrong = free_port(), list[tuple[Ran, str]]()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    mine = {**home.environment, "PATH": PATH}
    server, log = commands("settings", GUIDE), tmp_path / "server.log"
    async with Followed(server, {**mine, **ports}, log, home.path, port):
        for mark in MARKS:
            told = transcript(mark, GUIDE)
            block = [f"cd {tmp_path}", *(command for command, _ in told)]
            ran = (await asyncio.to_thread(run, block, mine))[1:]
            for (command, output), it in zip(told, ran, strict=True):
                if not prints(it, output) or bool(it.exit_code) != command.startswith(REFUSED):
                    wrong.append((it, output))
    assert wrong == []


def test_all_kinds_are_told() -> None:
    """Each that the contract has stands in the table."""
    told = set(re.findall(r"^\| `([a-z-]+)` \|", GUIDE.read_text(), re.M))
    kinds = Filter.DESCRIPTOR.oneofs_by_name["kind"].fields
    assert {it.name.replace("_", "-") for it in kinds} <= told
