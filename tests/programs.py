"""Programs that no wheel brings: ``@pytest.mark.needs(...)`` skips a test where one is missing."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.repository.files import ROOT

WEB = ROOT / "clients" / "web"
VITEST = WEB / "node_modules" / ".bin" / "vitest"
# This environment's commands, then the machine's, then those that Go has installed.
PATH = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"], os.path.expanduser("~/go/bin")]
)
HOW_TO_GET = {
    "chromium": "apt install chromium",
    "curl": "apt install curl",
    "go": "Go 1.26 or newer, from go.dev/dl",
    "grpcurl": "go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest",
    "node": "Node.js 20.19 or newer, from nodejs.org",
    "npm": "Node.js 20.19 or newer, from nodejs.org",
    "openssl": "apt install openssl",
    "promtool": "apt install prometheus",
    "strace": "apt install strace",
    str(VITEST): "uv run poe web, with Node.js",
}


def found(program: str) -> str | None:
    """Where a program is, if it is there."""
    return shutil.which(program, path=PATH)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a missing program, and say which and how to get it."""
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            how = HOW_TO_GET[program]
            if found(program) is None:
                pytest.skip(f"{Path(program).name} is missing: {how}")
