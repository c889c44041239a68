"""Real processes, in short; ``python -m tests.proofs.workers processes`` is the long form."""

from pathlib import Path

import pytest

from tests.proofs.workers.processes import Runs, processes_of
from tests.proofs.workers.rolling import rolling_of


@pytest.mark.proof
async def test_turns_outlive_workers_and_servers(tmp_path: Path) -> None:
    """Each fault once: killed, halted, cut off, with turns under way."""
    came = await processes_of(tmp_path, len(Runs.faults))
    print(came.line)
    assert came.wrong == []


@pytest.mark.proof
async def test_a_rolling_restart_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Two servers and two workers, with twenty turns running; the new workers' version is new."""
    came = await rolling_of(tmp_path, 20, "100 250", workers=2, version="2", look_s=1.0)
    print(came.line)
    assert came.wrong == []
