"""Another's calls beside one who takes all they get; that the figures show who is held up."""

from pathlib import Path

import pytest

from tests.proofs.robustness.fair import KINDS, OFF, Fair, Kind, Times, fair_of

SECONDS, ROUNDS = 4.0, 3
MOST_SHARE = 0.5
"""Of a processor: a user's quarter, and as much for a busy machine. Without shares it is 0.8."""


def pair(calls_ms: float, texts_ms: float) -> tuple[Times, Times]:
    return Times([10.0] * 100, [100.0] * 100), Times([calls_ms] * 100, [texts_ms] * 100)


def test_the_others_times_are_judged() -> None:
    """By the middle of the rounds' ratios, of calls and of first texts."""
    assert Fair("turns", 1, [pair(14.0, 140.0)]).wrong == []
    assert len(Fair("turns", 1, [pair(16.0, 140.0)]).wrong) == 1
    assert len(Fair("turns", 1, [pair(14.0, 210.0)]).wrong) == 2
    assert Fair("turns", 1, [pair(14.0, 140.0), pair(90.0, 90.0), pair(14.0, 14.0)]).wrong == []


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
async def test_one_user_has_a_share(tmp_path: Path, kind: Kind) -> None:
    """However much they ask for: they get so many turns and streams, and others are served."""
    fair = await fair_of(tmp_path, kind, 1, ROUNDS, SECONDS)
    assert fair.defects == []
    assert fair.had["running"] <= 100
    assert fair.had["following"] <= 100
    assert fair.taken < MOST_SHARE


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_one_user_who_may_have_much_has_a_share(tmp_path: Path) -> None:
    """Of the processor, while another is there, though nothing that they ask for is refused.

    Once: what is left of a round's turns would have its share in the next one.
    """
    fair = await fair_of(tmp_path, "turns", 1, 1, 2 * SECONDS, OFF | {"enabled": True})
    assert fair.had["running"] >= 90  # of 120; a busy server puts some off
    assert fair.taken < MOST_SHARE
