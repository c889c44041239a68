"""docs/guides/workers.md from an installed wheel, to the letter: commands print what it says."""

import asyncio
import os
import re
from pathlib import Path

from tests.cli.conftest import Home
from tests.e2e import readme
from tests.e2e.followed import Followed
from tests.e2e.process import OwnProcess
from tests.installed.conftest import Install
from tests.proofs.bench.processes import ROOT, environment, free_port

GUIDE = ROOT / "docs" / "guides" / "workers.md"
LONGEST_S = 300.0


class FollowedWorker(OwnProcess):
    """The worker, as the guide starts it."""

    forked = False

    async def serves(self) -> bool:
        """It dials in by itself, and asks for it wait for it."""
        return True


async def test_it_is_followed_to_the_letter(installed: Install, tmp_path: Path) -> None:
    """Somebody with the wheel alone has an expert, asks it, and shuts it out again."""
    environment_of_wheel = installed("")
    folder = tmp_path / "expert"
    folder.mkdir()
    path = os.pathsep.join([str(environment_of_wheel.folder / "bin"), os.environ["PATH"]])
    port = free_port()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": str(free_port())}
    variables = environment({**Home(tmp_path).environment, **ports, "PATH": path})
    found = re.search(r"^```python expert\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    (folder / "words.py").write_text(found[1])
    wrong: list[tuple[readme.Ran, str]] = []

    def follow(mark: str) -> None:
        told = readme.transcript(mark, GUIDE)
        block = [f"cd {folder}", *(command for command, _ in told)]
        ran = readme.run(block, variables, LONGEST_S)[1:]
        for it, (_, output) in zip(ran, told, strict=True):
            if not readme.prints(it, output) or it.exit_code:
                wrong.append((it, output))

    settings = readme.commands("settings", GUIDE)
    async with Followed(settings, variables, tmp_path / "server.log", folder, port):
        await asyncio.to_thread(follow, "invite")
        (begins,) = readme.commands("worker", GUIDE)
        command = ("bash", "-c", f"exec {begins}")
        async with FollowedWorker(command, variables, tmp_path / "worker.log", folder):
            await asyncio.to_thread(follow, "ask")
            *before, begins = readme.commands("version", GUIDE)
            await asyncio.to_thread(readme.run, [f"cd {folder}", *before], variables)
            newer = ("bash", "-c", f"exec {begins}")
            async with FollowedWorker(newer, variables, tmp_path / "newer.log", folder):
                await asyncio.to_thread(follow, "rollout")
                await asyncio.to_thread(follow, "permissions")
    assert wrong == []
