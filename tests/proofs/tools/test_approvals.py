"""Decisions on two servers, in short; ``python -m tests.proofs.tools approvals`` is long."""

from pathlib import Path

import pytest

from tests.proofs.tools.approvals import KINDS, approvals_of

pytestmark = pytest.mark.proof


async def test_the_first_decision_counts_wherever_it_is_made(tmp_path: Path) -> None:
    """Changed arguments are refused, and of two at once one wins: also after a kill, elsewhere."""
    came = await approvals_of(tmp_path, "1", count=8)
    print(came.line)
    assert came.wrong == []
    assert came.counts == {"changed arguments refused": 8 * len(KINDS), **dict.fromkeys(KINDS, 8)}
