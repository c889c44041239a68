"""Trees of three levels and 40 turns; `python -m tests.proofs.trees` is the long form."""

from pathlib import Path

import pytest

from tests.proofs.trees.defective import DEFECTS, command
from tests.proofs.trees.forest import Trees, forest
from tests.proofs.trees.judging import Shape
from tests.proofs.trees.stops import WITHIN_S, stops_of
from tests.proofs.workers.processes import Came


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
async def test_a_stop_of_the_root_reaches_the_last_leaf_soon(tmp_path: Path) -> None:
    """On a machine that is busy with other tests, once in five."""
    came = await stops_of(tmp_path, 5)
    print(came.line)
    assert min(came.next_s) <= WITHIN_S


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
