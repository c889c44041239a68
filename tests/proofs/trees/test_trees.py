"""Trees of three levels and 40 turns; `python -m tests.proofs.trees` is the long form."""

from pathlib import Path

import pytest

from tests.proofs.trees.defective import BY_LEVELS, DEFECTS, command
from tests.proofs.trees.forest import Trees, forest
from tests.proofs.trees.judging import Shape
from tests.proofs.trees.stops import AT_ONCE, HANDLERS, stops_of
from tests.proofs.workers.processes import Came

MOST = 0.5
"""Of all handlers; a worker's process may have to wait for a busy machine."""


@pytest.mark.proof
async def test_trees_outlive_workers_and_servers(tmp_path: Path) -> None:
    """Each turn is begun once and ends once; the root has what all said, or all are stopped."""
    async with forest(tmp_path) as here:
        trees = Trees(here, "1")
        for fault in ("kill_worker", "kill_server", "kill_and_stop"):
            await trees.run_one(fault)
    print(trees.came.line)
    assert trees.came.wrong == []
    assert trees.came.counts["turns with more than one attempt"]


@pytest.mark.proof
async def test_a_stop_of_the_root_reaches_all_leaves_at_once(tmp_path: Path) -> None:
    """They know before it is answered; within how many milliseconds is for the long form."""
    came = await stops_of(tmp_path, 3)
    print(came.line)
    assert came.counts[AT_ONCE] > came.counts[HANDLERS] * MOST


@pytest.mark.proof
async def test_a_stop_that_goes_level_by_level_is_caught(tmp_path: Path) -> None:
    """Leaves know of it when it was answered long ago."""
    came = await stops_of(tmp_path, 3, command(BY_LEVELS))
    print(came.line)
    assert came.counts[AT_ONCE] < came.counts[HANDLERS] * MOST


@pytest.mark.proof
@pytest.mark.parametrize("defect", DEFECTS)
async def test_a_defect_is_caught(defect: str, tmp_path: Path) -> None:
    """Within a dozen pairs of trees; on most machines within one or two."""
    came = Came()
    async with forest(tmp_path, command(defect)) as here:
        trees = Trees(here, "1", Shape(ms=10_000 if defect == "unstopped" else 800))
        for _ in range(12):
            await trees.run_one(DEFECTS[defect][1])
            came = trees.came
            if came.wrong:
                break
    print(*came.wrong, sep="\n")
    assert came.wrong
