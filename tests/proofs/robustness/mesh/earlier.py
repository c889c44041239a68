"""An earlier version's program, out of this repository's history."""

import os
import subprocess
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from tests.proofs.bench.processes import ROOT

LAST = "7b319d3a4ef2"
"""The version that servers are upgraded from; a later one takes its place when it is in use."""
_SOURCES = ("services", "gen", "clients/python", "clients/web/antiphon_web")


def earlier(revision: str, folder: Path) -> Mapping[str, str]:
    """Unpack what a revision ran; gives the variables by which a process runs that.

    It runs on what is installed now: an upgrade that replaces libraries, too, is not shown.
    Raises subprocess.CalledProcessError if the history has no such revision.
    """
    archive = subprocess.run(
        ["git", "archive", revision, "--", *_SOURCES], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    paths = [folder / source for source in ("services", "gen", "clients/python", "clients/web")]
    return {"PYTHONPATH": os.pathsep.join(map(str, paths))}
