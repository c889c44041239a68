"""A total outage, in short; ``python -m tests.proofs.weather outage`` is the long form."""

from pathlib import Path

import pytest

from tests.proofs.weather.outage import LIMIT_S, TELLING_S, Outage, outages_of, wrong_of
from tests.proofs.weather.turns import Turn

COUNT = 100


@pytest.mark.proof
async def test_every_turn_is_answered_or_told_why_and_the_endpoint_is_spared(
    tmp_path: Path,
) -> None:
    """Where the first model fails late, is busy or hangs, and the second has places or few."""
    came = await outages_of(
        tmp_path, COUNT, ["refuses-late", "is-busy", "hangs"], ["well", "small"]
    )
    assert came.wrong == []
    assert [len(it.turns) for it in came.outages] == [COUNT] * 6
    ends = [it.ends for it in came.outages]
    assert [it["second/well"] for it in ends[::2]] == [COUNT] * 3
    assert all(it["second/small"] and it["FAILED OVERLOADED"] for it in ends[1::2])


def _turn(**what: object) -> Turn:
    answered: dict[str, object] = {"state": "SUCCEEDED", "model": "second/well", "seconds": 1.0}
    answered |= {"skipped": [("first/x", "MODEL_UNAVAILABLE")]}
    return Turn("turn_1", "conv_1", **answered | what)  # type: ignore[arg-type]


def test_what_is_wrong_is_found() -> None:
    """Each of the promises can be seen to break."""
    assert not wrong_of(_turn())
    assert not wrong_of(_turn(state="FAILED", model="", reason="OVERLOADED"))
    for wrong in (
        _turn(seconds=LIMIT_S + TELLING_S + 1),
        _turn(model="first/x"),
        _turn(skipped=[]),
        _turn(skipped=[("first/x", "INTERNAL")]),
        _turn(state="FAILED", model="", reason="INTERNAL"),
        _turn(state="CANCELLED", model=""),
    ):
        assert len(wrong_of(wrong)) == 1
    assert not Outage("", "", [_turn()] * 10, 11).wrong
    assert len(Outage("", "", [_turn()] * 10, 12).wrong) == 1
