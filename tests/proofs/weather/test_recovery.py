"""A model that comes back, in short; ``python -m tests.proofs.weather recovery`` is long."""

from dataclasses import replace
from pathlib import Path

import pytest

from antiphon_server.runtime.concurrency.breaker import USUAL
from tests.proofs.weather.recovery import SINGLE, Recovery, recovery_of

RACERS = 200
FINE = Recovery(10, opened_by=5, probes=1, racing_s=1.0, passed_over=9, closed_by=1, back=SINGLE)


@pytest.mark.proof
async def test_one_of_all_tries_whether_it_is_back(tmp_path: Path) -> None:
    """It is open within a window, asked by nobody then, and closed by the first answer."""
    came = await recovery_of(tmp_path, RACERS)
    print(came.line)
    assert came.wrong == []


def test_a_recovery_is_judged() -> None:
    """Each of the promises can be seen to break."""
    assert FINE.wrong == []
    assert replace(FINE, probes=2, passed_over=8, racing_s=USUAL.probe_s).wrong == []
    for wrong in (
        replace(FINE, opened_by=USUAL.remembered + 1),
        replace(FINE, asked_while_open=1),
        replace(FINE, probes=2, passed_over=8),
        replace(FINE, passed_over=8),
        replace(FINE, closed_by=2),
        replace(FINE, back=SINGLE - 1),
        replace(FINE, defects=["Traceback"]),
    ):
        assert len(wrong.wrong) == 1
