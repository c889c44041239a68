"""The disk's faults in short; ``python -m tests.proofs.robustness.disk`` has the long form."""

from pathlib import Path

import pytest

from tests.proofs.robustness.disk.faults import disk_faults
from tests.proofs.robustness.disk.full import full_disk
from tests.proofs.robustness.disk.small_disks import IS_ROOT
from tests.proofs.robustness.disk.syncs import order_of_syncs

SEED = 5

pytestmark = [
    pytest.mark.needs("strace"),
    pytest.mark.proof,
]


async def test_nothing_is_said_before_it_is_durable(tmp_path: Path) -> None:
    """Every acknowledgement and every delivery is sent after the sync of what it carries."""
    syncs = await order_of_syncs(tmp_path, posts=200, turns=30)
    print(syncs.line)
    assert syncs.wrong == []
    assert syncs.acknowledged == 230
    assert syncs.delivered >= 230 + 30
    assert syncs.appearances >= syncs.acknowledged + 2 * syncs.delivered


async def test_calls_that_the_kernel_refuses_cost_nothing_that_was_promised(
    tmp_path: Path,
) -> None:
    """Failing syncs, writes and reads, and a kill in the midst: all that was said is true."""
    faults = await disk_faults(tmp_path, rounds=3, seed=SEED)
    print(faults.line)
    assert faults.wrong == []
    assert faults.refused > 0
    assert faults.killed == 1


async def test_a_full_disk_costs_nothing_that_was_promised(tmp_path: Path) -> None:
    """While it is full, posts are refused by name; with room again, the same process goes on."""
    full = await full_disk(tmp_path, "tmpfs" if IS_ROOT else "limit", 1, seconds=1, turns=False)
    print(full.line)
    assert full.wrong == []
