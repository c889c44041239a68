"""That the figures of ``python -m tests.proofs.weather cost`` are made, and judged."""

from pathlib import Path

from tests.proofs.weather.cost import Cost, cost_of


async def test_what_guards_a_call_is_measured(tmp_path: Path) -> None:
    """Each of its parts; how much it is, a machine that does something else can't say."""
    cost = await cost_of(tmp_path, 100)
    assert all(us > 0 for us in cost.us.values())


def test_costs_are_judged() -> None:
    """A breaker's alone."""
    assert Cost({"a breaker": 2.0, "breaker and places": 9.0}).wrong == []
    assert len(Cost({"a breaker": 2.1}).wrong) == 1
