"""Whatever befalls workers, servers and their streams: what is said is stored once, in short.

``python -m tests.proofs.workers`` is the long form.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs.workers.defects import DEFECTS
from tests.proofs.workers.runs import runs_of


@pytest.mark.proof
def test_nothing_is_lost_or_doubled_whatever_happens() -> None:
    """Of no fenced attempt is anything stored, and each turn ends once, in seeded runs."""
    broken = {seed: wrong for seed, wrong, _ in runs_of(40, "1") if wrong}
    assert not broken


@pytest.mark.proof
def test_a_seed_fixes_a_run() -> None:
    """What is said, told and stored, and when: also in a process whose sets have other orders."""
    here = hashlib.sha256()
    for _, _, rig in runs_of(4, "1"):
        here.update(rig.judge.trace.encode())
    command = (sys.executable, "-m", "tests.proofs.workers", "runs", "--runs", "4")
    said = subprocess.run(
        command,
        cwd=Path(__file__).parents[3],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert said.splitlines()[-1] == f"trace {here.hexdigest()}"


@pytest.mark.proof
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_caught(defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within forty runs."""
    DEFECTS[defect](monkeypatch)
    for _, wrong, _ in runs_of(40, "1"):
        if wrong:
            return
    pytest.fail("nobody has noticed")
