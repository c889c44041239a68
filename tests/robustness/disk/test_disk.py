"""The disk's faults in the short form; ``python -m tests.robustness.disk`` has the long one."""

from pathlib import Path

import pytest

from tests.robustness.disk.syncs import order_of_syncs
from tests.robustness.disk.tracing import MISSING, STRACE

pytestmark = [
    pytest.mark.skipif(STRACE is None, reason=MISSING),
    pytest.mark.timeout(180),
]


async def test_nothing_is_said_before_it_is_durable(tmp_path: Path) -> None:
    """Every acknowledgement and every delivery is sent after the sync of what it carries."""
    syncs = await order_of_syncs(tmp_path, posts=200, turns=30)
    print(syncs.line)
    assert syncs.wrong == []
    assert syncs.acknowledged == 230
    assert syncs.delivered >= 230 + 30
    assert syncs.appearances >= syncs.acknowledged + 2 * syncs.delivered
