"""Whatever befalls calls, servers and their store: what is spent is the ledger's sum."""

import pytest

from tests.proofs.spending.defects import KINDS
from tests.proofs.spending.runs import runs_of


@pytest.mark.proof
async def test_money_adds_up_whatever_happens() -> None:
    """Nothing stays reserved, nothing is spent that was not served, nothing served is missing."""
    broken = {seed: wrong async for seed, wrong, _ in runs_of(200, "1", KINDS["sound"]) if wrong}
    assert not broken


@pytest.mark.proof
@pytest.mark.parametrize("kind", [it for it in KINDS if it != "sound"])
async def test_a_defect_is_caught(kind: str) -> None:
    """Within a hundred runs."""
    async for _, wrong, _ in runs_of(100, "1", KINDS[kind]):
        if wrong:
            return
    pytest.fail("nobody has noticed")
