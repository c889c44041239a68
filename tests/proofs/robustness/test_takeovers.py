"""The other server goes on with a killed one's turns at once, in short; ``takeovers`` is long."""

from pathlib import Path

import pytest

from tests.proofs.robustness.takeovers import takeovers_of

pytestmark = pytest.mark.proof
WITHIN_S = 8.0
"""On a machine that has other things to do; of the lease 10 s are left at least."""


async def test_nobody_waits_for_the_lease_of_a_killed_server(tmp_path: Path) -> None:
    """Once with an answer that goes on, once with one that is lost."""
    came = await takeovers_of(tmp_path, "1", kills=2, within_s=WITHIN_S)
    print(came.line)
    assert came.wrong == []
    assert len(came.rounds) == 2
