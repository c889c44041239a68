"""docs/guides/budgets.md, done as it says."""

import json
import subprocess
from pathlib import Path

from tests.e2e.readme import commands, prints, run_beside, transcript
from tests.e2e.server import ServerProcess
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "budgets.md"
REFUSED = {
    'antiphon chat --once "hello once more"',
    'ANTIPHON_API_KEY=$SECRET antiphon chat --once "hello too often"',
}


async def test_an_admin_works_through_it(tmp_path: Path) -> None:
    """Each command prints what it says there, and what does not fit is refused."""
    *exports, begun = commands("settings", GUIDE)
    assert begun == "antiphon up"
    wrong, models = [], json.loads(_set(exports)["ANTIPHON_MODELS"])
    async with ServerProcess(tmp_path, models=models) as server:
        for mark in ("put", "key", "refused", "usage", "turn"):
            told = transcript(mark, GUIDE)
            ran = run_beside(server, [command for command, _ in told], COLUMNS="100", NO_COLOR="1")
            for (command, output), it in zip(told, ran, strict=True):
                if not prints(it, output) or bool(it.exit_code) != (command in REFUSED):
                    wrong.append((it, output))
    assert wrong == []


def _set(exports: list[str]) -> dict[str, str]:
    """The variables that a shell has set then."""
    script = "\n".join((*exports, "env -0"))
    told = subprocess.run(
        ["bash", "-c", script], env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    pairs = (it.partition("=") for it in told.stdout.decode().split("\0"))
    return {name: value for name, _, value in pairs if name.startswith("ANTIPHON_")}
