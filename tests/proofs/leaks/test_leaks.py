"""Nothing is left of what is over; what is left of each is caught, be it a list of two."""

import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.proofs.leaks.figures import Figures, Sample
from tests.proofs.leaks.probed import Probed, Weight
from tests.proofs.leaks.runs import Run, fresh, heartbeats, streams, turns
from tests.proofs.leaks.streams import NotServed, Streams, conversations

SMALL = ("--small",)
SOON = ("--faster", "10")  # what is done now and then is done in the warm-up too
# gRPC's threads leave when they have had nothing to do for 20 s.
STREAMS = Run(1600, pieces=4, warm=0.5, quiet_s=40.0, options=SMALL)
# The server still warms up for 1,000 turns. Thereafter some hundred blocks come and go, and on a
# busy machine some come late.
TURNS = Run(800, pieces=4, warm=1.5, quiet_s=40.0, noise=1200, options=SMALL + SOON)
FRESH = replace(TURNS, count=500)


@pytest.mark.proof
async def test_nothing_is_left_of_streams(tmp_path: Path) -> None:
    """Opened, and cancelled at any moment."""
    figures = await streams(tmp_path, STREAMS)
    assert figures.wrong == [], figures.line


@pytest.mark.proof
async def test_nothing_is_left_of_turns(tmp_path: Path) -> None:
    """Answered by models in the process and outside of it, and cancelled."""
    figures = await turns(tmp_path, TURNS)
    assert figures.wrong == [], figures.line


@pytest.mark.proof
async def test_nothing_is_left_of_conversations(tmp_path: Path) -> None:
    """Each is new, and what is remembered of conversations has a bound."""
    figures = await fresh(tmp_path, FRESH)
    assert figures.wrong == [], figures.line


@pytest.mark.proof
async def test_a_leak_of_conversations_is_caught(tmp_path: Path) -> None:
    """A small object that is kept of each shows, by the same bounds."""
    options = (*TURNS.options, "--plant", "turn's object")
    short = replace(TURNS, warm=0.5, quiet_s=1.0, options=options)
    figures = await fresh(tmp_path, short)
    assert any("blocks each" in wrong for wrong in figures.wrong), figures.line


@pytest.mark.proof
async def test_nothing_is_left_of_heartbeats(tmp_path: Path) -> None:
    """Hours of quiet, with a look between: what is given back by a later one is no leak."""
    figures = await heartbeats(tmp_path, Run(2, pieces=2, warm=0.5, quiet_s=2.0, options=SMALL))
    assert figures.count > 1_000
    assert figures.wrong == [], figures.line


@pytest.mark.proof
async def test_a_leak_of_streams_is_caught(tmp_path: Path) -> None:
    """A small object that is kept of each stream shows."""
    options = (*SMALL, "--plant", "object")
    figures = await streams(tmp_path, Run(600, pieces=4, warm=0.5, quiet_s=0.5, options=options))
    assert any("blocks each" in wrong for wrong in figures.wrong), figures.line


@pytest.mark.proof
async def test_what_is_left_open_is_caught(tmp_path: Path) -> None:
    """A task and a descriptor that are kept of each stream show, each by its name."""
    options = (*SMALL, "--plant", "task", "--plant", "descriptor")
    figures = await streams(tmp_path, Run(200, pieces=2, warm=0.5, quiet_s=0.5, options=options))
    assert {"planted", "null"} <= set(figures.left), figures.line
    assert "tasks, descriptors or threads" in figures.wrong[0]


@pytest.mark.proof
async def test_a_leak_of_turns_is_caught(tmp_path: Path) -> None:
    """A small object that is kept of each turn shows, by the bounds of the run without a leak."""
    options = (*TURNS.options, "--plant", "turn's object")
    short = replace(TURNS, warm=0.5, quiet_s=1.0, options=options)
    figures = await turns(tmp_path, short)
    assert any("blocks each" in wrong for wrong in figures.wrong), figures.line


async def test_streams_that_are_not_served_prove_nothing(tmp_path: Path) -> None:
    """A load whose streams are all refused fails."""
    async with Probed(tmp_path, options=SMALL) as server:
        target = await server.target()
        names = await conversations(target, 2)
        load = Streams(replace(target, token="forged"), names, random.Random(1))
        with pytest.raises(NotServed, match="0 of"):
            await load.run(60)
        load.close()


IDLE = Weight(60.0, 50.0, 1000, 1000, {"tick": 1}, {}, {})


def grown(**more: float) -> Figures:
    """A long run after which there is so much more of 10,000 than at its begin."""
    each = {name: value / 10_000 for name, value in more.items()}

    def weight(count: int) -> Weight:
        values = {name: getattr(IDLE, name) + it * count for name, it in each.items()}
        return replace(IDLE, **values)

    samples = [Sample(count, weight(count)) for count in range(0, 20_001, 1000)]
    return Figures("streams", 1, 2.0, IDLE, samples, {})


def test_memory_that_grows_is_judged() -> None:
    """A MB of 10,000 is too much, as is half a block of each; a little less is not."""
    assert grown(anonymous_mb=0.9, blocks=4900).wrong == []
    assert "MB per 10,000" in grown(anonymous_mb=1.1).wrong[0]
    assert "blocks each" in grown(blocks=5100).wrong[0]


def test_one_step_is_no_leak() -> None:
    """Whenever it comes, and however large: what is loaded once. Two such steps are one."""
    for steps, leaks in (({5}, False), ({1}, False), ({5, 15}, True)):
        blocks = [1000 + 20_000 * sum(at >= step for step in steps) for at in range(21)]
        samples = [Sample(1000 * at, replace(IDLE, blocks=it)) for at, it in enumerate(blocks)]
        assert bool(replace(grown(), samples=samples).wrong) is leaks


def test_one_that_is_left_is_judged() -> None:
    """A task, a descriptor or a thread more than the idle server had is too much."""
    for kind in ("tasks", "descriptors", "threads"):
        held = asdict(IDLE) | {kind: {"tick": 2}}
        samples = [*grown().samples, Sample(20_001, Weight(**held))]
        assert "'tick'" in replace(grown(), samples=samples).wrong[0]
