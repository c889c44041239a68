"""Nothing is left of what is over; a leak of one object of each stream is caught."""

from pathlib import Path
from xml.etree import ElementTree

from tests.leaks.chart import draw
from tests.leaks.figures import Figures, Sample
from tests.leaks.probed import Weight
from tests.leaks.runs import Run, heartbeats, streams, turns

SMALL = ("--small",)
SOON = ("--faster", "10")  # what is done now and then is done in the warm-up too


async def test_nothing_is_left_of_streams(tmp_path: Path) -> None:
    """Opened, and cancelled at any moment."""
    figures = await streams(tmp_path, Run(1600, pieces=4, warm=0.5, quiet_s=5.0, options=SMALL))
    assert figures.wrong == [], figures.line


async def test_nothing_is_left_of_turns(tmp_path: Path) -> None:
    """Answered by models in the process and outside of it, and cancelled."""
    figures = await turns(
        tmp_path, Run(500, pieces=4, warm=0.6, quiet_s=3.0, noise=1000, options=SMALL + SOON)
    )
    assert figures.wrong == [], figures.line


async def test_nothing_is_left_of_heartbeats(tmp_path: Path) -> None:
    """Some hours of quiet."""
    figures = await heartbeats(tmp_path, Run(1, pieces=1, warm=1.0, quiet_s=2.0, options=SMALL))
    assert figures.count > 1_000
    assert figures.wrong == [], figures.line


def test_a_run_is_drawn(tmp_path: Path) -> None:
    """Every sample is in the chart."""
    weight = Weight(60.0, 50.0, 1000, 1000, {}, {}, {})
    samples = [Sample(count, weight) for count in (5_000, 10_000, 15_000)]
    draw(Figures("streams", 1, 2.0, weight, samples, {}), tmp_path / "streams.svg")
    drawn = ElementTree.parse(tmp_path / "streams.svg")
    assert "MB after so many streams" in "".join(drawn.getroot().itertext())


async def test_planted_leaks_are_caught(tmp_path: Path) -> None:
    """An object, a task and a file descriptor that are kept of each stream show."""
    run = Run(450, pieces=3, warm=0.4, quiet_s=0.5, options=("--plant",))
    figures = await streams(tmp_path, run)
    for kept in ("'planted'", "'null'", "blocks each"):
        assert any(kept in wrong for wrong in figures.wrong), figures.line
