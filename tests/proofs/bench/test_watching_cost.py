"""What detectors cost stays within what is promised."""

import pytest

from tests.proofs.bench.watching_cost import MOST_US, costs_us, whole_us


@pytest.mark.proof
async def test_detectors_cost_a_message_less_than_50_us() -> None:
    """With all kinds of them, and what others are told; without any, next to nothing."""
    costs = await costs_us()
    assert whole_us(costs) < MOST_US, costs
    assert costs["none"] < MOST_US / 10, costs
