"""Run the official conformance package on our client: ``uv run poe mcp-conformance``.

What each revision requires is scored; a scenario that made no check counts as failed, since a
client that does nothing would pass it. Extensions are reported beside.
"""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests import npm
from tests.programs import PATH
from tests.repository.files import ROOT

PACKAGES = {"@modelcontextprotocol/conformance": "0.2.0-alpha.12"}
REVISIONS = {"2026-07-28": 32, "2025-11-25": 18}
CLIENT = f"{sys.executable} -m tests.integration.connections.mcp.conformance_client"
# All scenarios start at once, each with an interpreter of its own.
TIMEOUT_S = 240
LINE = re.compile(r"^([✓✗]) (\S+): (\d+) passed, (\d+) failed", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Score:
    """What came of a revision's scenarios: those that it requires, and extensions."""

    revision: str
    required: dict[str, bool]
    beside: dict[str, bool]

    @property
    def failed(self) -> list[str]:
        """The required scenarios that failed."""
        return [name for name, passed in self.required.items() if not passed]

    def __str__(self) -> str:
        """`32 of 32`, what failed, and the extensions."""
        passed = len(self.required) - len(self.failed)
        lines = [f"{self.revision}: {passed} of {REVISIONS[self.revision]}"]
        lines += [f"  failed: {name}" for name in self.failed]
        lines += [
            f"  beside: {name} {'passed' if passed else 'failed'}"
            for name, passed in self.beside.items()
        ]
        return "\n".join(lines)


def score(folder: Path, revision: str) -> Score:
    """Run what a revision requires."""
    binaries = folder / "node_modules" / ".bin"
    command = [
        *(str(binaries / "node"), str(binaries / "conformance"), "client"),
        *("--command", CLIENT, "--requirements", revision),
        *("--timeout", str(TIMEOUT_S * 1000), "-o", str(folder / revision)),
    ]
    env = {"PATH": PATH, "PYTHONPATH": f"{ROOT}:{ROOT / 'services'}:{ROOT / 'gen'}"}
    told = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=2 * TIMEOUT_S
    ).stdout
    return judged(revision, told)


def judged(revision: str, told: str) -> Score:
    """Read the package's summary."""
    summary, _, beside = told.partition("Not scored for")
    extensions = set(re.findall(r"^\s+[✓✗] (\S+)", beside, re.MULTILINE))
    passed = {
        name: mark == "✓" and int(good) > 0 and int(bad) == 0
        for mark, name, good, bad in LINE.findall(summary)
    }
    return Score(
        revision,
        {name: good for name, good in passed.items() if name not in extensions},
        {name: good for name, good in passed.items() if name in extensions},
    )


def main() -> None:
    """Run both revisions; exit 1 unless all that they require passed."""
    complete = True
    with tempfile.TemporaryDirectory() as name:
        npm.install(Path(name), PACKAGES)
        for revision, required in REVISIONS.items():
            result = score(Path(name), revision)
            print(result, flush=True)
            complete &= not result.failed and len(result.required) == required
    sys.exit(0 if complete else 1)


if __name__ == "__main__":
    main()
