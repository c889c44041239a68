"""clients/examples/experts: its own tests, and its README as somebody types it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from antiphon_client import Client
from tests.e2e import readme
from tests.e2e.process import OwnProcess
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.proofs.bench.processes import ROOT

EXPERTS = ROOT / "clients" / "examples" / "experts"
README = EXPERTS / "README.md"
NAMES = ("calculator", "researcher", "reviewer")


def test_their_tests_pass() -> None:
    """As somebody runs them there, who has copied the folder."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--timeout", "100"],
        cwd=EXPERTS,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


class Typed(OwnProcess):
    """A block's last command, which goes on, after the others."""

    async def serves(self) -> bool:
        """Its handler is waited for."""
        return True


@asynccontextmanager
async def serving(server: ServerProcess, name: str, home: Path) -> AsyncIterator[None]:
    """What the README says to begin an expert by."""
    invite, change, begin = readme.commands(name, README)
    await typed(server, [f"cd {ROOT}", invite], home)
    line = begin.replace("uv run python", f"exec {sys.executable}").replace("env $", "export $")
    script = f"{change}; {line.replace(') exec', '); exec')}"
    command = ("bash", "-c", script)
    async with Typed(command, {"HOME": str(home)}, home / f"{name}.log"):
        async with server.client() as client:
            await until_it(lambda: _has(client, name))
            (listed,) = [it async for it in client.list_handlers() if it.name == name]
            assert 8 <= len(listed.examples) <= 12
        yield


async def _has(client: Client, handler: str) -> bool:
    return handler in [it.name async for it in client.list_handlers() if it.available]


async def typed(server: ServerProcess, block: list[str], home: Path) -> list[str]:
    """What a block prints, command by command."""
    ran = await asyncio.to_thread(readme.run_beside, server, block, HOME=str(home))
    assert [it for it in ran if it.exit_code] == []
    return [it.output for it in ran]


async def test_from_nothing_to_a_first_answer(tmp_path: Path) -> None:
    """What the README says is typed, and each expert answers."""
    async with ServerProcess(tmp_path, model="scripted/echo") as server:
        async with serving(server, "calculator", tmp_path):
            (asked,) = await typed(server, readme.commands("ask", README), tmp_path)
            assert "= 27" in asked
        async with (
            serving(server, "researcher", tmp_path),
            serving(server, "reviewer", tmp_path),
        ):
            search, review = readme.commands("ask-others", README)
            (found,) = await typed(server, [search], tmp_path)
            assert "guides/clients.md#what-a-client-has-to-do, line" in found
            diff = tmp_path / "diff"
            diff.write_text("--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+import os\n")
            (reviewed,) = await typed(server, [review.replace("git diff", f"cat {diff}")], tmp_path)
            assert "F401" in reviewed
