"""Others beside a model that is not well, in short; their times are judged by the long form.

That is ``python -m tests.proofs.weather bystanders``, on a machine that does nothing else.
"""

from pathlib import Path

import pytest

from tests.proofs.weather.bystanders import WAYS, Bystanders, Round, Side, bystanders_of

SECONDS = 4.0


@pytest.mark.proof
async def test_others_are_answered(tmp_path: Path) -> None:
    """All of them, by their own model, while turns of another one hang, drip or fail."""
    came = await bystanders_of(tmp_path, 1, SECONDS)
    print(came.line)
    assert [came.failed, came.defects] == [[], []]
    held = {way: came.rounds[way][0].beside.in_flight for way in WAYS}
    assert held["hangs"] > 20
    assert held["drips"] > 20


def _round(ms: float) -> Round:
    return Round(Side([10.0] * 100), Side([ms] * 100))


def test_bystanders_are_judged() -> None:
    """By the ratio over all rounds, and by who was not answered."""
    fine = {way: [_round(10.9), _round(10.0)] for way in WAYS}
    assert Bystanders(fine).wrong == []
    assert len(Bystanders(fine | {"drips": [_round(11.2)]}).wrong) == 1
    assert len(Bystanders(fine, failed=["turn_1"], defects=["Traceback"]).wrong) == 2
