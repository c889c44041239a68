"""Faults under traffic, in the short form; ``python -m tests.robustness`` has the long one."""

from pathlib import Path

import pytest

from tests.robustness.cuts import cut_connections
from tests.robustness.kill import kill_rounds
from tests.robustness.scenario import play
from tests.robustness.scenarios import SCENARIOS
from tests.robustness.stalled import stall_one

MIB = 1 << 20


@pytest.mark.timeout(180)
async def test_a_killed_server_loses_nothing(tmp_path: Path) -> None:
    """After kill -9 in mid-answer clients rejoin by themselves, and every promise holds."""
    killed = await kill_rounds(tmp_path, rounds=5, seed=1)
    print(killed.line)
    assert killed.wrong == []
    assert killed.states["SUCCEEDED"] >= killed.rounds


@pytest.mark.timeout(180)
async def test_a_stopped_server_loses_nothing(tmp_path: Path) -> None:
    """After SIGTERM in mid-answer clients come back, and every promise holds."""
    stopped = await kill_rounds(tmp_path, rounds=2, seed=1, how="terminate")
    print(stopped.line)
    assert stopped.wrong == []


@pytest.mark.timeout(180)
async def test_cut_connections_lose_nothing(tmp_path: Path) -> None:
    """Whatever cuts the connections, everybody gets everything, once and in order."""
    cut = await cut_connections(tmp_path, cuts=60, seed=1)
    print(cut.line)
    assert cut.wrong == []
    assert cut.cuts >= 60
    assert cut.seen > cut.events


@pytest.mark.timeout(180)
async def test_a_reader_who_stops_costs_nobody_else(tmp_path: Path) -> None:
    """Of 100 subscribers one stops reading: memory stays, others are served, it is let go."""
    crowd = await stall_one(tmp_path, "unread", seconds=4.0)
    print(crowd.line)
    assert crowd.defects == []
    assert crowd.grown_bytes < 32 * MIB
    assert crowd.during.delay_ms(0.5) < 3 * crowd.before.delay_ms(0.5) + 50
    assert crowd.during.delay_ms(0.99) < 3 * crowd.before.delay_ms(0.99) + 250
    assert crowd.ended_with == "OVERLOADED"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ["everything"])
async def test_every_promise_holds(name: str, tmp_path: Path) -> None:
    """People of every kind at work, faults alone and together: no promise is broken."""
    outcome = await play(SCENARIOS[name], tmp_path, seed="1", seconds=8.0)
    print(outcome.line)
    assert outcome.wrong == []
    assert outcome.inflicted
    assert outcome.counts["posts acknowledged"]
    assert outcome.counts["turns acknowledged"]
