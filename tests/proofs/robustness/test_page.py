"""The page of figures is made from what runs wrote."""

import json
from pathlib import Path

import pytest

from tests.proofs.robustness.page import BEGIN, END, merged, write
from tests.proofs.robustness.scenario import Outcome


def result(name: str, seen: int, **faults: int) -> str:
    outcome = Outcome(name, "1", seconds=2.0, peak_bytes=seen)
    outcome.inflicted.update(faults)
    counts = {"posts acknowledged": 1, "turns acknowledged": 0, "seen": seen, "stops": 0}
    outcome.counts.update(counts)
    return json.dumps([outcome.as_json()])


def test_rounds_of_one_name_are_added_up(tmp_path: Path) -> None:
    """Counts add, the most memory is the most of all, and what has none keeps its zero."""
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    files[0].write_text(result("kills", 5, kill=2))
    files[1].write_text(result("kills", 7, kill=1, drain=1))
    (whole,) = merged(files)
    assert whole["faults"] == {"kill": 3, "drain": 1}
    assert whole["counts"]["seen"] == 12
    assert whole["counts"]["turns acknowledged"] == 0
    assert (whole["seconds"], whole["peak_bytes"]) == (4.0, 7)


def test_equal_rounds_are_two_rounds(tmp_path: Path) -> None:
    """A round that gave what another gave counts; so does its seed."""
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    for file in files:
        file.write_text(result("kills", 5, kill=2))
    (whole,) = merged(files)
    assert (whole["faults"], whole["counts"]["seen"]) == ({"kill": 4}, 10)
    assert (whole["seconds"], whole["seed"]) == (4.0, "1")


def crowd(without: list[int], beside: list[int], grown: int, exit_s: float, count: int = 5) -> str:
    more = {"without_p99_ms": without, "beside_p99_ms": beside, "ratio": 9.9}
    figures = {"name": "crowd", "count": count, "grown_bytes": grown, "exit_s": exit_s}
    return json.dumps([figures | more])


def test_figures_that_are_no_counts_are_of_all_rounds(tmp_path: Path) -> None:
    """The worst memory and end, and the median of all ratios, whichever file came first."""
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    files[0].write_text(crowd([10, 10], [10, 20], 1, 4.0))
    files[1].write_text(crowd([10], [30], 7, 3.0))
    (whole,) = merged(files)
    assert (whole["ratio"], whole["grown_bytes"], whole["exit_s"]) == (2.0, 7, 4.0)


def test_rounds_of_other_sizes_are_not_added_up(tmp_path: Path) -> None:
    """With 5 readers and with 500 it is not the same row."""
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    files[0].write_text(crowd([1], [1], 1, 1.0))
    files[1].write_text(crowd([1], [1], 1, 1.0, count=500))
    with pytest.raises(ValueError, match="count"):
        merged(files)


def test_a_life_that_was_killed_while_it_started_is_counted_apart(tmp_path: Path) -> None:
    """Nobody had reached it: it is told, and is none of the kills under traffic."""
    page, file = tmp_path / "proof.md", tmp_path / "1.json"
    page.write_text(f"{BEGIN}\n{END}\n")
    file.write_text(result("kills", 5, **{"kill": 3, "kill while starting": 2}))
    write(merged([file]), page)
    assert "| kills | 3 | 1 | 5 |" in page.read_text()
    assert "2 more lives were killed while they started" in page.read_text()


def test_the_page_keeps_what_others_wrote(tmp_path: Path) -> None:
    """Only what stands between the marks is replaced; a chart stands beside it."""
    page, file = tmp_path / "proof.md", tmp_path / "1.json"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    file.write_text(result("wires", 5, cut=1))
    write(merged([file]), page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| wires | 1 | 1 | 5 |" in text
    assert (tmp_path / "proof" / "scenarios.svg").read_text().startswith("<svg")


def test_an_axis_ends_behind_the_longest_bar(tmp_path: Path) -> None:
    """Not decades later: its last mark would be cut off, and the bars be short."""
    file, page = tmp_path / "1.json", tmp_path / "page.md"
    file.write_text(result("storm", 338_819, kill=2))
    page.write_text(f"{BEGIN}\n{END}\n")
    write(merged([file]), page)
    marks = (tmp_path / "page" / "scenarios.svg").read_text()
    assert ">100,000<" in marks
    assert "1,000,000" not in marks
