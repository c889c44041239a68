"""docs/guides/connections.md, done as it says, from the settings to the audit trail."""

import subprocess
from pathlib import Path

from tests.e2e.readme import commands, prints, run_beside, transcript
from tests.e2e.server import ServerProcess
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "connections.md"
DENIED = {
    "antiphon connections add shop --mcp https://shop.example/mcp",
    "antiphon connections delete clock",
    """antiphon tools call clock.get_current_time --arguments '{"timezone": "Asia/Tokyo"}'""",
    """antiphon tools call watch.get_current_time --arguments '{"timezone": "Asia/Tokyo"}'""",
}


async def test_an_operator_works_through_it(tmp_path: Path) -> None:
    """Each command prints what it says there, and those that are refused fail."""
    *exports, begun = commands("settings", GUIDE)
    assert begun == "antiphon up"
    server = ServerProcess(tmp_path, variables=_set(exports))
    wrong = []
    async with server, server.client() as client:
        # Who reads the guide has started it before they type; a busy machine takes its time.
        await client.test_connection("global", "clock")
        for mark in ("installed", "workspace", "allowlist", "paused", "away", "trail"):
            told = transcript(mark, GUIDE)
            ran = run_beside(server, [command for command, _ in told], COLUMNS="100", NO_COLOR="1")
            refused = DENIED if mark in {"allowlist", "paused", "away"} else set()
            for (command, output), it in zip(told, ran, strict=True):
                if not prints(it, output) or it.exit_code != int(command in refused):
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
