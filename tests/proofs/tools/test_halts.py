"""SIGSTOP past the lease, in short; ``python -m tests.proofs.tools halts`` is the long form."""

from pathlib import Path

import pytest

from tests.proofs.tools.halts import halts_of

pytestmark = pytest.mark.proof


async def test_who_wakes_up_says_nothing_more_and_nothing_runs_twice(tmp_path: Path) -> None:
    """Of two servers one stands still under calls; the other one goes on with its turns."""
    came = await halts_of(tmp_path, "1", count=15)
    print(came.line)
    assert came.wrong == []
    assert came.runs == 15
