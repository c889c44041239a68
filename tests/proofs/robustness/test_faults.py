"""Faults under traffic, in short; ``python -m tests.proofs.robustness`` has the long form."""

from pathlib import Path

import pytest

from tests.proofs.robustness.crowd import stall_one
from tests.proofs.robustness.drained import RESUMED_S, STREAMS, drain_rounds
from tests.proofs.robustness.returning import WAYS
from tests.proofs.robustness.rows import cuts, kills
from tests.proofs.robustness.scenario import play
from tests.proofs.robustness.scenarios import SCENARIOS

MIB = 1 << 20
pytestmark = pytest.mark.proof


async def test_a_killed_server_loses_nothing(tmp_path: Path) -> None:
    """After kill -9 in mid-answer clients rejoin by themselves, and every promise holds."""
    killed = await kills(tmp_path, 4, seed="1")
    assert killed.wrong == []
    assert killed.inflicted["kill"] == 4
    assert killed.inflicted["kill while starting"]
    assert killed.states["SUCCEEDED"] >= 1
    assert killed.counts["streams resumed"]


async def test_a_stopped_server_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM with 200 streams open: it ends in time, all of them go on, every promise holds."""
    drained = await drain_rounds(tmp_path, rounds=1, seed="1")
    assert drained.outcome.wrong == [], drained.line
    assert len(drained.resumed_s) == STREAMS
    assert max(drained.resumed_s) < 3 * RESUMED_S  # a machine may be busy; the long form is not


async def test_cut_connections_lose_nothing(tmp_path: Path) -> None:
    """Whatever cuts the connections, everybody gets everything, once and in order."""
    cut = await cuts(tmp_path, 60, seed="1")
    assert cut.wrong == []
    assert cut.inflicted["cut"] >= 60
    assert cut.counts["posts repeated"] > 0
    assert cut.counts["seen"] > cut.counts["events"]


async def test_a_reader_who_stops_costs_nobody_else(tmp_path: Path) -> None:
    """Of 100 subscribers one stops reading: memory stays, others are served, it is let go."""
    one = await stall_one(tmp_path, 99, rounds=3, seconds=2.0, patience_s=8.0)
    print(one.line)
    assert one.defects == []
    assert one.grown_bytes < 32 * MIB
    assert one.more_ms(50) < 50
    # A neighbour on this machine who takes 0.3 s is in the hundredth that waited longest.
    assert one.more_ms(90) < 250
    assert one.ended_with == "OVERLOADED"


@pytest.mark.parametrize("name", ["everything", "trimming"])
async def test_every_promise_holds(name: str, tmp_path: Path) -> None:
    """People of every kind at work, faults alone and together: no promise is broken."""
    outcome = await play(SCENARIOS[name], tmp_path, seed="1", seconds=8.0)
    print(outcome.line)
    assert outcome.wrong == []
    assert all(outcome.inflicted[fault] for fault in SCENARIOS[name].faults), "not all were played"
    assert outcome.counts["posts acknowledged"]
    if name == "trimming":
        assert all(outcome.counts[f"old cursor by {way}"] for way in WAYS), "not all were asked"
        assert all(outcome.counts[f"trimmed cursor by {way}"] for way in WAYS), "not all were told"
    else:
        assert outcome.counts["turns acknowledged"]
        assert outcome.states["CANCELLED"], "no turn was stopped"
        assert outcome.counts["streams resumed"], "no stream broke and went on"
        assert outcome.counts["posts repeated"], "no post was sent again"
