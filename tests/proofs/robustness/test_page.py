"""The page of figures is made from what runs wrote."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.proofs.bench.processes import ROOT
from tests.proofs.robustness.page import merged, write
from tests.proofs.robustness.scenario import Outcome

DOCS = ROOT / "docs"
OF_A_RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What pygal names a drawing by."""


def kills(seen: int, **faults: int) -> dict[str, object]:
    outcome = Outcome("kills", "1", seconds=2.0, peak_bytes=seen)
    outcome.inflicted.update(faults)
    outcome.counts.update({"turns acknowledged": 0, "seen": seen})
    return outcome.as_json()


def crowd(without: list[int], beside: list[int], grown: int, count: int = 5) -> dict[str, object]:
    more = {"without_p99_ms": without, "beside_p99_ms": beside, "ratio": 9.9}
    return {"name": "crowd", "count": count, "grown_bytes": grown} | more


def written(folder: Path, *results: dict[str, object]) -> list[Path]:
    """A file of each run."""
    files = [folder / f"{number}.json" for number in range(len(results))]
    for file, result in zip(files, results, strict=True):
        file.write_text(json.dumps([result]))
    return files


def test_rounds_of_one_name_are_added_up(tmp_path: Path) -> None:
    """Counts add, equal rounds, too, and the most memory counts; ratios are of all rounds."""
    rounds = kills(5, kill=2), kills(7, kill=1, drain=1), kills(7, kill=1, drain=1)
    (whole,) = merged(written(tmp_path, *rounds))
    assert whole["faults"] == {"kill": 4, "drain": 2}
    assert whole["counts"] == {"turns acknowledged": 0, "seen": 19}
    assert (whole["seconds"], whole["peak_bytes"], whole["seed"]) == (6.0, 7, "1")
    (whole,) = merged(written(tmp_path, crowd([10, 10], [10, 20], 7), crowd([10], [30], 1)))
    assert (whole["ratio"], whole["grown_bytes"]) == (2.0, 7)


def test_rounds_of_other_sizes_are_not_added_up(tmp_path: Path) -> None:
    """With 5 readers and with 500 it is not the same row."""
    files = written(tmp_path, crowd([1], [1], 1), crowd([1], [1], 1, count=500))
    with pytest.raises(ValueError, match="count"):
        merged(files)


def test_the_page_shows_the_files_figures(tmp_path: Path) -> None:
    """docs/proof.md has the table and the charts that its JSON file gives, and its own words."""
    page = Path(shutil.copy(DOCS / "proof.md", tmp_path))
    write(merged([DOCS / "proof" / "figures.json"]), page)
    assert page.read_text() == (DOCS / "proof.md").read_text()
    for drawn in (tmp_path / "proof").glob("*.svg"):
        told = (DOCS / "proof" / drawn.name).read_text()
        assert OF_A_RUN.sub("", drawn.read_text()) == OF_A_RUN.sub("", told)
