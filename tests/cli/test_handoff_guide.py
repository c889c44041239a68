"""docs/guides/handoff.md, done as it says."""

import asyncio
import re
from pathlib import Path

from tests.cli.conftest import Home
from tests.cli.test_routes_guide import FollowedWorker
from tests.e2e.followed import Followed
from tests.e2e.readme import commands, prints, run, transcript
from tests.e2e.until import until_it
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "handoff.md"
INVITE = "antiphon workers invite clerk > clerk.env"
CLERK = "exec env $(cat clerk.env) python clerk.py"


def _written(kind: str, mark: str) -> str:
    found = re.search(rf"^```{kind} {mark}\n(.*?)^```", GUIDE.read_text(), re.S | re.M)
    assert found is not None
    return found[1]


async def test_it_is_as_it_says(home: Home, tmp_path: Path) -> None:
    """Each command prints what stands there, and the worker hands off what is about money."""
    port = free_port()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    variables = {**home.environment, **ports, "PATH": PATH}
    typing = {**home.environment, "PATH": PATH}
    (tmp_path / "routes.toml").write_text(_written("toml", "routes"))
    (tmp_path / "clerk.py").write_text(_written("python", "clerk"))
    block = commands("settings", GUIDE)
    wrong = []
    async with Followed(block, variables, tmp_path / "server.log", home.path, port):
        for mark in ("people", "route", "ask"):
            told = transcript(mark, GUIDE)
            typed = [f"cd {tmp_path}", *(command for command, _ in told)]
            ran = (await asyncio.to_thread(run, typed, typing))[-len(told) :]
            pairs = zip(told, ran, strict=True)
            wrong += [(it, output) for (_, output), it in pairs if not prints(it, output)]
        assert wrong == []
        await asyncio.to_thread(run, [f"cd {tmp_path}", INVITE], typing)
        begins = ("bash", "-c", CLERK)
        async with FollowedWorker(begins, typing, tmp_path / "worker.log", tmp_path):

            async def handed() -> bool:
                once = 'antiphon chat --once "Is my money lost?" --handler clerk'
                (ran,) = await asyncio.to_thread(run, [once], typing)
                return "handoffs answer" in ran.output

            await until_it(handed)
            (listed,) = await asyncio.to_thread(run, ["antiphon handoffs"], typing)
            assert "it is about money" in listed.output
